"""A full dump: verdict, loops, tasks with their stacks, locks, stalls and threads, as text.

Made of the answers of commands on a snapshot. `dump` is for the program itself; the dump on
a signal (`asyncconsole.serve.signaled`) takes its snapshot in the side thread.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import shlex
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, TypeVar

from asyncconsole._version import __version__
from asyncconsole.capture import quiet
from asyncconsole.capture.code import in_package
from asyncconsole.commands import dispatch, doctor, phrases
from asyncconsole.commands.port import Target
from asyncconsole.commands.verdict import verdict
from asyncconsole.model import Diagnosis, Frame, Result, Snapshot, Task, Text
from asyncconsole.model.callbacks import Polls
from asyncconsole.model.recording import NO_PROBE, Recording
from asyncconsole.model.status import ProbeStatus
from asyncconsole.render import flow, show
from asyncconsole.serve.look import examine
from asyncconsole.serve.still import StillTarget

T = TypeVar("T")

MOST_ROWS = 1_000
"""Tasks, and locks, that are listed."""

MOST_STACKS = 200
"""Stacks of tasks that are shown."""

MANY, FEWER = 20_000, 40
"""So many tasks have only so many stacks shown: each takes a look at all of them."""

MOST_STALLS = 50
"""Recorded stalls that are listed."""

MOST_LINES = 20_000
"""Lines of one part of a dump."""

WIDTH = 100
"""Cells of a rule."""


class Writable(Protocol):
    """Where a dump can go."""

    def write(self, text: str, /) -> object:
        """Take some text."""


class Seen(NamedTuple):
    """What a dump is made of.

    Attributes:
        snapshot: All of the program, its threads too.
        judged: The snapshot that the diagnosis is about.
        diagnosis: What is wrong; None when that could not be found out.
        probe: What the stall probe is set to; None without a console.
        polls: How long the steps of a task take, where they are timed.
        trouble: Why there is no diagnosis.
    """

    snapshot: Snapshot
    judged: Snapshot
    diagnosis: Diagnosis | None
    probe: ProbeStatus | None
    polls: Callable[[int], Polls | None]
    trouble: str = ""


def dump(file: Writable | None = None) -> None:
    """Write all there is to know of this process's asyncio: a jstack for tasks.

    Verdict, loops, tasks with their stacks, locks with holders, stalls, and the stacks of all
    threads, as text; long lists are cut, and say so. Blocks the calling thread meanwhile
    (0.1 s and more); works in any thread, also inside a running loop, with and without a console.

    Args:
        file: Where to; None for ``sys.stderr`` as it is now.

    Raises:
        Exception: What ``file.write`` raised.
    """
    out = sys.stderr if file is None else file
    if out is None:
        return  # a program without a stderr, such as under pythonw
    with quiet.quiet():
        snapshot, judged, diagnosis = examine()
    seen = Seen(_without_us(snapshot), judged, diagnosis, _probe(), lambda _task: None)
    for page in pages(seen):
        out.write(writable(page, out))
    flush = getattr(out, "flush", None)
    if flush is not None:
        flush()


async def look(target: Target) -> Seen:
    """What a dump of the living program is made of, from the side loop."""
    snapshot = await target.snapshot("all")
    try:
        judged, diagnosis = await verdict(target, loops=True, first=snapshot)
    except Exception as error:
        trouble = f"{type(error).__name__}: {error}"[:300]
        return Seen(snapshot, snapshot, None, target.probe(), target.polls, trouble)
    return Seen(snapshot, judged, diagnosis, target.probe(), target.polls)


def pages(seen: Seen) -> Iterator[str]:
    """The dump, part by part."""
    known = Recording(seen.snapshot, probe=seen.probe or NO_PROBE)
    target = StillTarget(known, seen.polls)
    yield heading(f"pid {seen.snapshot.pid}, {seen.snapshot.taken_at}")
    yield f"{about(seen.snapshot)}\n"
    yield from _part("Verdict", lambda: _verdict(seen))
    yield from _part("Loops", lambda: _answer(target, "loops"))
    yield from _part("Tasks", lambda: _answer(target, f"ps --limit {MOST_ROWS}"))
    yield from _part("Locks", lambda: _answer(target, f"locks --limit {MOST_ROWS}"))
    yield from _part("Stacks of tasks", lambda: _stacks(target, seen))
    yield from _part("Stalls", lambda: _stalls(target, seen))
    yield from _part("Threads", lambda: _answer(target, "stacktrace"))
    yield f"\n{f'== end of dump of pid {seen.snapshot.pid} '.ljust(WIDTH, '=')}\n"


def heading(title: str) -> str:
    """The first line of a dump."""
    return f"{f'== asyncconsole dump: {title} '.ljust(WIDTH, '=')}\n"


def about(snapshot: Snapshot | None) -> str:
    """What runs, in which versions."""
    words = getattr(sys, "orig_argv", None) or [sys.executable or "?"]
    kind = f"{platform.python_implementation()} {sys.version.split()[0]}"
    up = f", up {snapshot.uptime:.0f} s" if snapshot is not None else ""
    took = f", read in {snapshot.took:.3f} s" if snapshot is not None else ""
    line = shlex.join([str(word)[:500] for word in words[:50]])
    # Not platform.platform(): that starts processes.
    versions = f"asyncconsole {__version__}, {kind}, {sys.platform}"
    return f"{line}\n{versions}, parent {os.getppid()}{up}{took}"


def writable(text: str, file: Any) -> str:
    """The text without what a file's encoding can't express."""
    encoding = getattr(file, "encoding", None)
    try:
        return text.encode(encoding or "utf-8", "backslashreplace").decode(encoding or "utf-8")
    except (LookupError, TypeError, ValueError):
        return ascii(text)


def _part(title: str, answer: Callable[[], Iterator[str]]) -> Iterator[str]:
    """A heading and what stands below it; an error in there costs that part alone."""
    yield f"\n-- {title} {'-' * (WIDTH - 4 - len(title))}\n"
    left = MOST_LINES
    try:
        for piece in answer():
            lines = piece.splitlines(keepends=True)
            yield "".join(lines[:left])
            left -= len(lines)
            if left < 0:
                yield f"... cut after {MOST_LINES} lines\n"
                break
    except Exception as error:
        yield f"not shown, by a defect of asyncconsole: {type(error).__name__}: {error}\n"


def _answer(target: StillTarget, words: str) -> Iterator[str]:
    """What a command answers."""
    call = dispatch.parse(words)
    if call is None:
        return
    work: Any = call.command.run(target, call.options)
    result: Result = _at_once(work)
    if result.flow is None:
        yield show(result, json=False)
        return
    pieces: Any = flow(result.flow, json=False)
    with _unhooked():
        try:
            while True:
                yield _at_once(pieces.__anext__())
        except StopAsyncIteration:
            return


def _at_once(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine gives that waits for nothing."""
    with _unhooked():
        try:
            work.send(None)
        except StopIteration as end:
            found: T = end.value
            return found
    work.close()
    msg = "a command waited for something of a program that stands still"
    raise RuntimeError(msg)


@contextmanager
def _unhooked() -> Iterator[None]:
    """A running loop of this thread does not hear of the async generators in here."""
    before = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        yield
    finally:
        sys.set_asyncgen_hooks(*before)


def _verdict(seen: Seen) -> Iterator[str]:
    if seen.diagnosis is None:
        yield f"not found out: {seen.trouble}\n"
        return
    lines = doctor.prose(seen.judged, seen.diagnosis)
    yield show(Result({}, (Text(tuple(lines)),)), json=False)


def _stalls(target: StillTarget, seen: Seen) -> Iterator[str]:
    if seen.probe is None:
        yield "No console runs in this process, and nothing else watches for stalls.\n"
        return
    yield from _answer(target, f"stalls {MOST_STALLS}")


def _stacks(target: StillTarget, seen: Seen) -> Iterator[str]:
    """Whole stacks: of tasks in findings, then of those that hold something, then of the rest."""
    snapshot = seen.snapshot
    found = seen.diagnosis.findings if seen.diagnosis is not None else ()
    special = {role.id: None for finding in found for role in finding.tasks}
    groups: dict[Any, list[Task]] = {}
    for task in snapshot.tasks:
        alone = task.id in special or bool(task.holds)
        wait = task.wait
        what = (wait.kind, wait.type, wait.name) if wait is not None else None
        key = task.id if alone else (task.state, task.frames, what)
        groups.setdefault(key, []).append(task)
    order = {number: index for index, number in enumerate(special)}
    last = len(order)

    def rank(group: list[Task]) -> tuple[int, bool]:
        return order.get(group[0].id, last), not group[0].holds

    ranked = sorted(groups.values(), key=rank)
    most = MOST_STACKS if len(snapshot.tasks) <= MANY else FEWER
    for number, group in enumerate(ranked[:most]):
        if number:
            yield "\n"
        yield from _answer(target, f"where {group[0].id} --all")
        if len(group) > 1:
            yield f"  and {phrases.plural(len(group) - 1, 'more task')} at the same place: "
            yield f"{', '.join(f'{task.name} ({task.id})' for task in group[1:11])}"
            yield ", ...\n" if len(group) > 11 else "\n"  # noqa: PLR2004 - the first and ten
    if not ranked:
        yield "No tasks.\n"
    if len(ranked) > most:
        rest = sum(map(len, ranked[most:]))
        places = phrases.plural(len(ranked) - most, "other place")
        yield f"\n{phrases.plural(rest, 'more task')} at {places} not shown.\n"


def _probe() -> ProbeStatus | None:
    """The settings of the probe of the console that runs; None without one."""
    console = sys.modules.get("asyncconsole.serve.console")
    return console.probe_status() if console is not None else None


def _without_us(snapshot: Snapshot) -> Snapshot:
    """The snapshot without the frames of ours that took it."""
    here = threading.get_ident()
    loops = {loop.id for loop in snapshot.loops if loop.thread_id == here}
    return dataclasses.replace(
        snapshot,
        threads=tuple(
            dataclasses.replace(thread, frames=_outside(thread.frames))
            if thread.ident == here
            else thread
            for thread in snapshot.threads
        ),
        tasks=tuple(
            dataclasses.replace(task, frames=_outside(task.frames))
            if task.state == "running" and task.loop in loops
            else task
            for task in snapshot.tasks
        ),
    )


def _outside(frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
    """Frames up to the call of ours."""
    count = len(frames)
    while count and in_package(frames[count - 1].file):
        count -= 1
    return frames[:count]
