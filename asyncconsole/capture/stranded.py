"""Callbacks in the queue of a loop that sleeps, because nobody woke it.

``call_soon`` of another thread, and all that uses it (``Future.set_result``,
``Event.set``, ``create_task``), puts a callback into the queue and leaves the loop asleep.
Seen without waking it; what is seen for a moment only is a ``call_soon_threadsafe``.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from asyncconsole.capture import chain, futures, jobs, pending, timers
from asyncconsole.capture.loops import LoopFact
from asyncconsole.capture.objects import type_name
from asyncconsole.capture.process import OWN_THREADS
from asyncconsole.capture.running import thread_frames
from asyncconsole.capture.waits import describe, understand
from asyncconsole.model.blocked import Stranded

if TYPE_CHECKING:
    from types import FrameType

    from asyncconsole.capture.program import Program
    from asyncconsole.model import Snapshot

MOST = 50
"""Callbacks of one loop that are told."""

MOST_TASKS = 2_000
"""Tasks of other loops that are searched."""


def read(program: Program, snapshot: Snapshot, fact: LoopFact, loop: Any) -> tuple[Stranded, ...]:
    """What is in the queue of a loop; () unless its thread sleeps."""
    if not fact.idle:
        return ()
    handles = pending.handles(loop)[:MOST]
    return tuple(_stranded(program, snapshot, loop, handle) for handle in handles)


def _stranded(program: Program, snapshot: Snapshot, loop: Any, handle: Any) -> Stranded:
    function, arguments = pending.callback(handle)
    token = program.standing.of(handle)
    task = _task_of(function)
    if task is None:
        acts = timers.targets(function, arguments, 0)
        tokens = {program.futures.known(thing) for thing in acts} - {0}
        things = {f"L{number}" for thing in acts if (number := program.things.known(thing))}
        waiting = [
            one.id
            for one in snapshot.tasks
            if one.wait is not None and (one.wait.token in tokens or one.wait.resource in things)
        ]
        return Stranded(_words(function), token, tuple(waiting))
    future = futures.waiter(task)
    thing: Any = None
    wait = ""
    if future is not None:
        try:
            waited = understand(chain.walk(futures.coroutine(task)), future)
        except Exception:  # an odd stack: the task is told all the same
            waited = None
        thing = future if waited is None or waited.thing is None else waited.thing
        name = program.names.get(program.things.known(thing), "")
        wait = f"{describe(thing)} {name}".strip()
    return Stranded(
        "Task.__step" if future is None else "Task.__wakeup",
        token,
        (program.tasks.of(task),),
        wait,
        tuple(sorted(set(_loops(program, thing, loop)))) if thing is not None else (),
        tuple(_threads(program, thing)) if thing is not None else (),
    )


def _task_of(function: Any) -> Any:
    """The task that a callback lets make its next step."""
    owner = getattr(function, "__self__", None)
    if futures.is_task(owner):
        return owner
    if type_name(function) in {"TaskStepMethWrapper", "TaskWakeupMethWrapper"}:
        return next((item for item in gc.get_referents(function) if futures.is_task(item)), None)
    return None


def _words(function: Any) -> str:
    owner = getattr(function, "__self__", None)
    name = getattr(function, "__name__", "") or type_name(function)
    return f"{type_name(owner)}.{name}" if owner is not None else str(name)


def _loops(program: Program, thing: Any, loop: Any) -> Iterator[int]:
    """Other loops with a task that refers to a thing."""
    for task in program.look().tasks[:MOST_TASKS]:
        other = futures.loop(task)
        if other is not loop and pending.task_has(task, thing):
            yield program.loops.note(other)


def _threads(program: Program, thing: Any) -> Iterator[int]:
    """Threads without a loop whose code refers to a thing."""
    loops = {fact.thread for fact in program.loops.find()}
    names = jobs.thread_names()
    frames = thread_frames()
    try:
        for ident, top in frames.items():
            if ident not in loops and not names.get(ident, "").startswith(OWN_THREADS):
                frame: FrameType | None = top
                for _ in range(pending.MOST_FRAMES):
                    if frame is None:
                        break
                    if pending.frame_has(frame, thing):
                        yield ident
                        break
                    frame = frame.f_back
    finally:
        frames.clear()
