"""Which threads stood still between two looks, and so what is true of both at once."""

from __future__ import annotations

from asyncconsole.diagnose.threads import bridges
from asyncconsole.model import Finding, Snapshot, Thread

_SURE = frozenset({"result", "wait", "join"})
"""Waits for something that is over once: pending in two looks means pending all the time."""


def restless(first: Snapshot, second: Snapshot) -> frozenset[int]:
    """Idents of the blocked threads that did not stand still between two looks."""
    before = {thread.ident: thread for thread in first.threads}
    found = {
        thread.ident: thread
        for thread in second.threads
        if thread.blocked is not None and not _still(before.get(thread.ident), thread)
    }
    for ident, thread in list(found.items()):
        # A signal lets a thread run for a moment, and wait on: then it has the lock if its
        # holder gave it back, which it did not if that one stood still.
        if _same_wait(before.get(ident), thread) and _kept(thread, first, second, set(found)):
            del found[ident]
    return frozenset(found)


def _same_wait(before: Thread | None, now: Thread) -> bool:
    was = before.blocked if before is not None else None
    blocked = now.blocked
    if was is None or blocked is None:
        return False
    same = (was.kind, was.token, was.frame) == (blocked.kind, blocked.token, blocked.frame)
    return same and bool(blocked.token)


def _still(before: Thread | None, now: Thread) -> bool:
    if before is None or now.blocked is None or not _same_wait(before, now):
        return False
    return now.blocked.kind in _SURE or before.ran == now.ran


def _kept(thread: Thread, first: Snapshot, second: Snapshot, moved: set[int]) -> bool:
    """True when who has the lock that a thread waits for stood still between two looks."""
    blocked = thread.blocked
    if blocked is None or blocked.kind != "lock":
        return False
    item = second.resource(blocked.resource)
    tasks = [holder.task for holder in item.holders] if item is not None else []
    tokens = [
        {task.id: task.wait.token for task in look.tasks if task.wait is not None}
        for look in (first, second)
    ]
    if tasks:
        return all(tokens[0].get(n) and tokens[0].get(n) == tokens[1].get(n) for n in tasks)
    idents = {source.number for source in blocked.sources}
    known = {one.ident for one in second.threads if one.blocked is not None}
    return bool(idents) and idents.issubset(known - moved)


def stood(
    finding: Finding,
    first: Snapshot,
    second: Snapshot,
    moving: frozenset[int] = frozenset(),
    moved: frozenset[int] = frozenset(),
) -> bool:
    """True when what a finding about threads rests on was so on the earlier look as well."""
    waiting = {ref.id for ref in finding.threads if ref.token}
    if not waiting:
        return all(_slept(ref.id, first, second) for ref in finding.threads)
    return any(
        waiting.issubset(one.threads)
        for one in bridges(first, moving, moved)
        if not (finding.proven and one.lenient)
    )


def _slept(ident: int, first: Snapshot, second: Snapshot) -> bool:
    """True when the loop of a thread slept all the time between, with callbacks to run."""
    before, now = (
        {one.token for loop in look.loops if loop.thread_id == ident for one in loop.stranded}
        for look in (first, second)
    )
    if not before or not now or not before.issubset(now):
        return False
    if 0 not in before:
        return True  # the very same callbacks: a turn would have run them all
    ran = [
        next((one.ran for one in look.threads if one.ident == ident), None)
        for look in (first, second)
    ]
    return ran[0] is not None and ran[0] == ran[1]
