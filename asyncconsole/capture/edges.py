"""What leads from one task to another: awaits, timers, watchdogs."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from asyncconsole.capture import futures, timers
from asyncconsole.capture.drafts import Draft
from asyncconsole.capture.identity import Numbers
from asyncconsole.capture.resources import Resources
from asyncconsole.capture.waiting import Waiting
from asyncconsole.model import Wait
from asyncconsole.model.quick import maker

SLICE = 200


_wait = maker(Wait)


@dataclass(slots=True)
class Links:
    """Edges by the ``id`` of the task they lead to.

    Attributes:
        awaited_by: Numbers of the tasks that wait for it to end.
        due: Loop times at which a scheduled timer acts on it.
        watchers: Numbers of tasks that sleep, refer to it and cancel something.
        grouped: ``id`` of every task that is in a TaskGroup or has entered one.
    """

    awaited_by: dict[int, set[int]] = field(default_factory=dict)
    due: dict[int, list[float]] = field(default_factory=dict)
    watchers: dict[int, set[int]] = field(default_factory=dict)
    grouped: set[int] = field(default_factory=set)


def between(listed: list[Draft], loops: list[Any], *, full: bool) -> Generator[None, None, Links]:
    """All edges of a capture; only awaits unless ``full``."""
    links = Links()
    for draft in listed:
        if draft.waiting is not None:
            for task in draft.waiting.tasks:
                links.awaited_by.setdefault(id(task), set()).add(draft.number)
    if not full:
        return links
    for loop in loops:
        due = yield from timers.scheduled(loop)
        for key, when in due.items():
            links.due.setdefault(key, []).append(when)
    for index, draft in enumerate(listed):
        if index % SLICE == SLICE - 1:
            yield
        _act_on(draft, links)
        if draft.grip.children:
            links.grouped.update((id(draft.task), *map(id, draft.grip.children)))
        if draft.waiting is not None and draft.waiting.kind == "task_group":
            links.grouped.update(map(id, draft.waiting.tasks))
    return links


def _act_on(draft: Draft, links: Links) -> None:
    """Timers that will wake this task, and tasks that this one may cancel."""
    if (
        draft.waiting is not None and links.due
    ):  # a timer that sets the event acts on who waits for it
        for thing in (draft.waiting.future, draft.waiting.thing):
            if id(thing) in links.due:
                links.due.setdefault(id(draft.task), []).extend(links.due[id(thing)])
    if draft.cancels():
        for thing in draft.refers():
            if futures.is_task(thing) and thing is not draft.task:
                links.watchers.setdefault(id(thing), set()).add(draft.number)


def wait_of(
    draft: Draft, book: Resources, tasks: Numbers, names: dict[int, str], now: float
) -> Wait | None:
    """A draft's wait as plain data."""
    waiting = draft.waiting
    if waiting is None:
        return None
    due = waiting.due
    if due is not None:
        due = max(0.0, due - draft.loop_time())
    if waiting.thing is not None:
        name, called, resource = book.label(waiting.thing, names)
    else:
        name, called, resource = _phrase(waiting, due), "", None
    return _wait(  # in the order of the fields: this is made for every task
        waiting.kind,
        name,
        called,
        resource,
        max(0.0, now - draft.since),
        False,
        draft.token,
        tuple([tasks.of(task) for task in waiting.tasks]) if waiting.tasks else (),
        waiting.needs,
        waiting.pending,
        waiting.total,
        waiting.opaque,
        due,
        waiting.thread,
        tuple(waiting.details),
        waiting.jammed.jam if waiting.jammed is not None else None,
    )


def _phrase(waiting: Waiting, due: float | None) -> str:
    """Words for what is no primitive."""
    if waiting.phrase:
        return waiting.phrase
    if waiting.kind == "timer":
        return "timer" if due is None else f"timer, due in {due:.1f} s"
    if waiting.kind == "gather":
        return f"gather, {waiting.pending} of {waiting.total} left"
    if waiting.kind == "wait":
        return f"wait, {waiting.pending} of {waiting.total} left"
    if waiting.kind == "task_group":
        return f"TaskGroup, {waiting.pending} left"
    named = ", ".join(futures.name(task) for task in waiting.tasks[:3])
    word = {"shield": "shielded ", "wait_for": "wait_for "}.get(waiting.kind, "")
    return f"{word}task {named}" if named else waiting.kind
