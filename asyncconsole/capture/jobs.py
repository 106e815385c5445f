"""Threads that work for tasks, and threads that stand still until a task ends.

``to_thread`` and ``run_in_executor`` give a task an asyncio future that is chained to one
of ``concurrent.futures``; the thread that runs its job has that future on its stack, in the
frame that runs the work item. ``run_coroutine_threadsafe`` chains the other way round: a
thread blocks in ``Future.result()`` of a future behind which there is a task.
"""

from __future__ import annotations

import concurrent.futures
import functools
import gc
import sys
import threading
import types
from collections.abc import Iterable
from concurrent.futures import _base
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.code import is_own
from asyncconsole.capture.drafts import Draft, call_frame
from asyncconsole.capture.identity import Numbers
from asyncconsole.capture.names import base
from asyncconsole.capture.objects import NUMBERS, Types, attribute, cell, type_name
from asyncconsole.capture.running import thread_frames
from asyncconsole.capture.waiting import Waiting
from asyncconsole.capture.waits import of_future
from asyncconsole.model import Frame, Thread

DEPTH = 2_000
"""Frames of one thread that are looked at."""

MOST_JOBS = 100_000
"""Jobs of one pool's queue that are counted."""

_GROUPS = Types(list, set, tuple)
_FUNCTIONS = Types(types.FunctionType, types.BuiltinFunctionType)
_Future: Any = concurrent.futures.Future
_CHAINED = "_chain_future.<locals>._call_check_cancel"
_BLOCKING: dict[CodeType, tuple[str, ...]] = {
    _base.Future.result.__code__: ("self",),
    _base.Future.exception.__code__: ("self",),
    _base.wait.__code__: ("not_done", "fs"),
    _base.as_completed.__code__: ("pending", "fs"),
}
"""Functions in which a thread waits for futures, and the locals that hold these."""


@dataclass(slots=True)
class Pool:
    """The queue of a thread pool.

    Attributes:
        waiting: Place in the queue of each job that has not started, by ``id`` of its future.
        threads: Idents of its threads.
        names: What each of these jobs calls.
    """

    waiting: dict[int, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    threads: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Links:
    """What threads have to do with tasks.

    Attributes:
        works_for: Ids of the tasks that wait for the job of a thread, by its ident.
        waits_for: Ids of the tasks that a thread waits for, by its ident.
        blocked: Idents of the threads that wait for a task, by the task's ``id()``.
        timeouts: Seconds after which a thread stops waiting, by its ident, where it does.
        queued: Ids of the tasks that wait for a job that no thread runs, by ``id`` of its future.
    """

    works_for: dict[int, list[int]] = field(default_factory=dict)
    waits_for: dict[int, list[int]] = field(default_factory=dict)
    blocked: dict[int, list[int]] = field(default_factory=dict)
    timeouts: dict[int, float] = field(default_factory=dict)
    queued: dict[int, list[int]] = field(default_factory=dict)

    def thread(self, facts: Thread) -> Thread:
        """A thread with its links."""
        import dataclasses  # noqa: PLC0415 - only when a capture is made

        return dataclasses.replace(
            facts,
            works_for=tuple(sorted(self.works_for.get(facts.ident, ()))),
            waits_for=tuple(sorted(self.waits_for.get(facts.ident, ()))),
            timeout=self.timeouts.get(facts.ident),
        )


def link(listed: Iterable[Draft], tasks: Numbers, *, threads: bool, every: bool = False) -> Links:
    """Follow the jobs that tasks wait for to their threads, and say so in their waits.

    Args:
        listed: The tasks of a capture; waits among them get ``phrase``, ``thread``, ``details``.
            Of those that were not read, only the awaited future is looked at. An iterator of
            unread ones is only gone through when some thread runs a job.
        tasks: Numbers of tasks.
        threads: Look for blocked threads also when no task waits for a job.
        every: Go through the tasks also when no thread runs a job.

    Returns:
        The links, empty where there are none.
    """
    links = Links()
    read = listed if isinstance(listed, list) else []
    waiting = [draft for draft in read if draft.waiting is not None and draft.waiting.jobs]
    if not waiting and not threads:
        return links
    look = _Look()
    for ident, wanted in look.blocked.items():
        for future in wanted:
            task = task_behind(future)
            if task is not None:
                links.waits_for.setdefault(ident, []).append(tasks.of(task))
                links.blocked.setdefault(id(task), []).append(ident)
        if ident in links.waits_for and ident in look.timeouts:
            links.timeouts[ident] = look.timeouts[ident]
    for draft in listed if look.runs or every else waiting:
        for job in _jobs(draft):
            worker = look.runs.get(id(job))
            if worker is not None:
                links.works_for.setdefault(worker, []).append(draft.number)
            else:
                links.queued.setdefault(id(job), []).append(draft.number)
    for draft in waiting:
        if draft.waiting is not None:
            _tell(draft.waiting, look, links)
    return links


def _jobs(draft: Draft) -> list[Any]:
    """The jobs that a task waits for."""
    if draft.waiting is not None:
        return draft.waiting.jobs
    future = futures.waiter(draft.task)
    if future is None or futures.is_task(future) or futures.done(future):
        return []
    return of_future(future).jobs


def task_behind(job: Any) -> Any:
    """The task whose end a ``concurrent.futures`` future stands for, or None."""
    if not issubclass(type(job), _Future):
        return None
    callbacks = attribute(job, "_done_callbacks")
    for callback in list(callbacks) if type(callbacks) is list else ():
        if type(callback) is types.FunctionType and callback.__qualname__ == _CHAINED:
            source = cell(callback, "source")
            if futures.is_task(source):
                return source
    return None


def _tell(waiting: Waiting, look: _Look, links: Links) -> None:
    """Put what is known of a wait's jobs into words."""
    if waiting.kind != "executor":
        running = sum(id(job) in look.runs for job in waiting.jobs)
        waiting.details.append(("jobs in threads", len(waiting.jobs)))
        waiting.details.append(("jobs running", running))
        return
    (job,) = waiting.jobs[:1]
    task = task_behind(job)
    if task is not None:
        # As with an awaited task, nobody but who ends or cancels it ends the wait.
        waiting.tasks, waiting.needs, waiting.opaque = [task], "all", False
        waiting.phrase = f"task {futures.name(task)} of another thread's loop"
        return
    ident = look.runs.get(id(job))
    if ident is not None:
        name = look.names.get(ident) or str(ident)
        called = look.calls.get(id(job), "")
        spot = look.spots.get(ident)
        waiting.thread = ident
        waiting.details.append(("thread", name))
        waiting.phrase = f"job {called}".rstrip() + f" in thread {name}"
        if spot is not None:
            waiting.phrase += f", at {base(spot.file)}:{spot.line} {spot.function}"
        if ident in links.waits_for:
            numbers = ", ".join(map(str, links.waits_for[ident][:3]))
            waiting.phrase += f", which waits for task {numbers}"
        return
    for pool in look.pools():
        place = pool.waiting.get(id(job))
        if place is not None:
            busy = sum(ident in look.working for ident in pool.threads)
            waiting.details += [
                ("jobs before it", place),
                ("threads", len(pool.threads)),
                ("threads busy", busy),
            ]
            called = pool.names.get(id(job), "")
            waiting.phrase = (
                f"job {called}".rstrip() + f", not started: {place} before it, "
                f"{busy} of {len(pool.threads)} threads busy"
            )
            return
    if id(job) in _process_jobs():
        state = attribute(job, "_state")
        waiting.phrase = "a job in another process" + (
            ", not started" if state == _base.PENDING else ""
        )


class _Look:
    """One look at the threads of the process.

    Attributes:
        runs: Ident of the thread that runs a job, by ``id`` of the job's future.
        calls: What such a job calls.
        spots: Where such a thread is, inside of the job.
        working: Idents of threads that run a job.
        blocked: Futures that a thread waits for, by its ident.
        timeouts: Seconds after which it stops waiting, where it does.
        names: Names of threads.
    """

    def __init__(self) -> None:
        self.runs: dict[int, int] = {}
        self.calls: dict[int, str] = {}
        self.spots: dict[int, Frame] = {}
        self.working: set[int] = set()
        self.blocked: dict[int, list[Any]] = {}
        self.timeouts: dict[int, float] = {}
        self.names = thread_names()
        self._pools: list[Pool] | None = None
        frames = thread_frames()
        try:
            item_code = _work_item_code()
            for ident, top in frames.items():
                self._read(ident, top, item_code)
        finally:
            frames.clear()  # one of them is this very frame's ancestor

    def _read(self, ident: int, top: FrameType, item_code: CodeType | None) -> None:
        frame: FrameType | None = top
        inside: list[FrameType] = []
        for _ in range(DEPTH):
            if frame is None:
                return
            code = frame.f_code
            if code is item_code:
                self._runs(ident, frame, inside)
            elif code in _BLOCKING and ident not in self.blocked:
                self._blocks(ident, frame, _BLOCKING[code])
            if len(inside) < DEPTH:
                inside.append(frame)
            frame = frame.f_back

    def _runs(self, ident: int, frame: FrameType, inside: list[FrameType]) -> None:
        self.working.add(ident)
        item = _local(frame, "self")
        future = attribute(item, "future")
        if future is None or ident in self.spots:
            return
        self.runs[id(future)] = ident
        self.calls[id(future)] = called(item)
        spot = next((one for one in inside if is_own(one.f_code.co_filename)), None)
        if spot is None and inside:
            spot = inside[0]
        if spot is not None:
            self.spots[ident] = call_frame(spot)

    def _blocks(self, ident: int, frame: FrameType, names: tuple[str, ...]) -> None:
        for name in names:
            found = _local(frame, name)
            wanted = [found] if name == "self" else found
            if type(wanted) not in _GROUPS:
                continue
            try:
                self.blocked[ident] = list(wanted)[:MOST_JOBS]
            except RuntimeError:  # it changed while it was copied
                continue
            timeout = _local(frame, "timeout")
            if type(timeout) in NUMBERS:
                self.timeouts[ident] = float(timeout)
            return

    def pools(self) -> list[Pool]:
        """The thread pools with what waits in their queues."""
        if self._pools is None:
            self._pools = pools()
        return self._pools


def _local(frame: FrameType, name: str) -> Any:
    """A local variable of a frame of the standard library that runs.

    Before 3.13 the frame keeps a copy of its variables from then on; those read here are
    let go of only when their function returns, so nothing lives longer for it.
    """
    return frame.f_locals.get(name)


def _work_item_code() -> CodeType | None:
    """Code of what runs a job in a thread; None while no thread pool was ever used."""
    module = sys.modules.get("concurrent.futures.thread")
    function = getattr(getattr(module, "_WorkItem", None), "run", None)
    return getattr(function, "__code__", None)


def pools() -> list[Pool]:
    """The thread pools that have threads."""
    module = sys.modules.get("concurrent.futures.thread")
    data = getattr(getattr(module, "_threads_queues", None), "data", None)
    found: dict[int, Pool] = {}
    for reference, queue in list(data.items()) if type(data) is dict else ():
        pool = found.get(id(queue))
        if pool is None:
            pool = found[id(queue)] = Pool()
            _read_queue(queue, pool)
        ident = attribute(reference(), "_ident")
        if type(ident) is int:
            pool.threads.append(ident)
    return list(found.values())


def _read_queue(queue: Any, pool: Pool) -> None:
    """Note the jobs of a ``SimpleQueue``: until 3.12 it keeps them in a list."""
    items = gc.get_referents(queue)
    if items and type(items[0]) is list:
        items = items[0]
    for item in items[:MOST_JOBS]:
        future = attribute(item, "future")
        if issubclass(type(future), _Future) and attribute(future, "_state") == _base.PENDING:
            pool.names[id(future)] = called(item)
            pool.waiting[id(future)] = len(pool.waiting)


def _process_jobs() -> set[int]:
    """``id`` of the future of every job that a process pool has."""
    if "concurrent.futures.process" not in sys.modules:
        return set()
    found: set[int] = set()
    for thread in threading.enumerate():
        if type_name(thread) == "_ExecutorManagerThread":
            items = attribute(thread, "pending_work_items")
            for item in list(items.values()) if type(items) is dict else ():
                found.add(id(attribute(item, "future")))
    return found


def called(item: Any) -> str:
    """Name of the function that a pool's work item calls; "" when it has none."""
    function = attribute(item, "fn")
    if function is None:  # 3.14
        task = attribute(item, "task")
        function = task[0] if type(task) is tuple and task else task
    for _ in range(10):
        if type(function) is functools.partial:
            inner = function.func
            # asyncio.to_thread runs partial(context.run, function, ...)
            through = type(inner) is types.BuiltinMethodType and inner.__name__ == "run"
            function = function.args[0] if through and function.args else inner
        elif type(function) is types.MethodType:
            function = function.__func__
        else:
            break
    if type(function) in _FUNCTIONS:
        return str(function.__name__)
    return ""


def thread_names() -> dict[int, str]:
    """Names of the threads that Python knows, by ident; no property of theirs is asked."""
    found = {}
    for thread in threading.enumerate():
        ident, name = attribute(thread, "_ident"), attribute(thread, "_name")
        if type(ident) is int and type(name) is str:
            found[ident] = name
    return found
