"""What each thread of the program stands still for, and what would let it go on.

Waits of ``threading``, ``queue`` and ``concurrent.futures`` have frames of their own, known
by their code objects; a lock taken in C is read from its caller's code (`calls`). Two looks
tell together whether a thread stood still: one alone is of no single moment.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import _base
from concurrent.futures import thread as _thread
from dataclasses import dataclass, field, replace
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from asyncconsole.capture import calls, futures, jobs, pending
from asyncconsole.capture.clock import ran
from asyncconsole.capture.code import is_own
from asyncconsole.capture.drafts import call_frame
from asyncconsole.capture.identity import Numbers
from asyncconsole.capture.objects import NUMBERS, Types, attribute, type_name
from asyncconsole.capture.process import OWN_THREADS
from asyncconsole.capture.running import thread_frames
from asyncconsole.model.blocked import Blocked, BlockedKind, Job, Pool, Source, Start

if TYPE_CHECKING:
    from asyncconsole.capture.program import Program
    from asyncconsole.model import Thread

DEPTH = 10
"""Frames of Python's own between a wait and the code that calls it, at most."""

MOST_JOBS = 1_000
"""Jobs of one pool that are listed."""

_GROUPS = Types(list, set, tuple)


def _codes(*functions: Any) -> list[CodeType]:
    return [function.__code__ for function in functions if hasattr(function, "__code__")]


_WAITS: dict[CodeType, BlockedKind] = {
    **dict.fromkeys(_codes(_base.Future.result, _base.Future.exception), "result"),
    **dict.fromkeys(_codes(_base.wait, _base.as_completed), "wait"),
    **dict.fromkeys(_codes(threading.Thread.join), "join"),
    **dict.fromkeys(_codes(threading.Event.wait), "event"),
    **dict.fromkeys(_codes(threading.Condition.wait, threading.Condition.wait_for), "condition"),
    **dict.fromkeys(_codes(threading.Semaphore.acquire), "semaphore"),
    **dict.fromkeys(_codes(threading.Barrier.wait), "barrier"),
    **dict.fromkeys(_codes(queue.Queue.get, queue.Queue.put, queue.Queue.join), "queue"),
}
"""Functions in which a thread waits; one may call another."""

_LIBRARY = {code.co_filename for code in _WAITS}
_WORKER: Any = _thread._worker  # noqa: SLF001 - what a pool's threads run
_ITEM: Any = _thread._WorkItem.run  # noqa: SLF001 - what runs a job


@dataclass(slots=True)
class Standstill:
    """What was found.

    Attributes:
        blocked: What a thread waits for, by its ident.
        runs: Ids of the tasks that a thread runs its loops for, by its ident: it does not
            end before they do.
        pools: The thread pools.
        starts: Coroutines that loops have still to start, for tasks.
        ran: CPU time of each thread, ns, by its ident.
    """

    blocked: dict[int, Blocked] = field(default_factory=dict)
    runs: dict[int, tuple[int, ...]] = field(default_factory=dict)
    pools: tuple[Pool, ...] = ()
    starts: tuple[Start, ...] = ()
    ran: dict[int, int] = field(default_factory=dict)

    def thread(self, facts: Thread) -> Thread:
        """A thread with what was found of it."""
        return replace(
            facts,
            blocked=self.blocked.get(facts.ident),
            runs=self.runs.get(facts.ident, ()),
            ran=self.ran.get(facts.ident),
        )


@dataclass(slots=True)
class _Stack:
    """The stack of one thread, innermost frame first; not kept."""

    ident: int
    frames: list[FrameType]
    waiting: FrameType | None = None
    kind: BlockedKind = "lock"
    taking: calls.Taking | None = None

    @property
    def caller(self) -> FrameType | None:
        """The innermost frame of the program's own code."""
        return next((f for f in self.frames if is_own(f.f_code.co_filename)), None)


def read(program: Program, work: jobs.Links, starts: dict[int, tuple[int, str]]) -> Standstill:
    """Look at all threads but the console's own.

    Args:
        program: Numbers tasks, primitives and loops.
        work: Which threads work for which tasks.
        starts: What `pending.not_started` found.
    """
    found = Standstill()
    look = _Look(program, work, starts)
    try:
        for stack in look.stacks:
            runs = tuple(program.tasks.of(task) for task in _runs(stack))
            if runs:
                found.runs[stack.ident] = runs
            blocked = look.blocked(stack)
            if blocked is not None:
                found.blocked[stack.ident] = blocked
        found.pools = tuple(look.pools())
        found.starts = tuple(
            Start(*told, tuple(sorted(set(tasks))))
            for key, told in starts.items()
            if (tasks := work.queued.get(key))
        )
        found.ran = ran()
        return found
    finally:
        look.stacks.clear()  # one of them is an ancestor of this very frame


class _Look:
    """One look at the threads."""

    def __init__(
        self, program: Program, work: jobs.Links, starts: dict[int, tuple[int, str]]
    ) -> None:
        self._program = program
        self._starts = starts
        self._work = work
        self._numbers: Numbers = program.standing
        self.stacks: list[_Stack] = []
        names = jobs.thread_names()
        frames = thread_frames()
        try:
            for ident, top in frames.items():
                if not names.get(ident, "").startswith(OWN_THREADS):
                    self.stacks.append(_stack(ident, top))
        finally:
            frames.clear()
        self._running = {
            id(future): (stack.ident, jobs.called(item))
            for stack in self.stacks
            for item, future in _items(stack)
        }
        self._pools = self._read_pools()

    def _read_pools(self) -> list[tuple[int, str, int | None, jobs.Pool]]:
        """Number, name and size of each pool, and what is in its queue."""
        executors = {}
        for stack in self.stacks:
            for frame in stack.frames:
                if frame.f_code is _WORKER.__code__:
                    reference = frame.f_locals.get("executor_reference")
                    executors[stack.ident] = reference() if reference is not None else None
        found: list[tuple[int, str, int | None, jobs.Pool]] = []
        for pool in jobs.pools():
            known = [executors[ident] for ident in pool.threads if ident in executors]
            executor = next((one for one in known if one is not None), None)
            most = attribute(executor, "_max_workers")
            name = attribute(executor, "_thread_name_prefix")
            number = self._numbers.of(executor) if executor is not None else 0
            found.append(
                (
                    number or -1 - len(found),
                    name if type(name) is str else "",
                    # One that nobody has any more gets no more threads.
                    most if type(most) is int else len(pool.threads) if known else None,
                    pool,
                )
            )
        return found

    def pools(self) -> Iterator[Pool]:
        """The pools, with the jobs that tasks wait for."""
        for number, name, most, pool in self._pools:
            listed = [
                Job(jobs.called(item), stack.ident, 0, tuple(sorted(set(tasks))))
                for stack in self.stacks
                if stack.ident in pool.threads
                for item, _ in _items(stack)
                if (tasks := self._work.works_for.get(stack.ident))
            ]
            listed += [
                Job(pool.names.get(key, ""), None, place, tuple(sorted(set(tasks))))
                for key, place in pool.waiting.items()
                if (tasks := self._work.queued.get(key))
            ]
            yield Pool(
                number,
                name,
                tuple(pool.threads),
                most,
                len(pool.waiting),
                tuple(listed[:MOST_JOBS]),
            )

    def blocked(self, stack: _Stack) -> Blocked | None:
        """What a thread waits for, or None."""
        caller = stack.caller
        frame = call_frame(caller) if caller is not None else None
        taking = stack.taking
        if taking is not None:
            sources = tuple(self._holders(taking.lock, stack.ident))
            return Blocked(
                "lock",
                f"{taking.text}.acquire",
                frame,
                sources,
                bounded=taking.bounded,
                token=self._program.things.of(taking.lock),
                resource=f"L{self._program.things.of(taking.lock)}",
                type="threading.RLock" if type(taking.lock) is calls.RLock else "threading.Lock",
                name=self._program.names.get(self._program.things.known(taking.lock))
                or taking.text,
            )
        waiting = stack.waiting
        if waiting is None:
            return None
        local = waiting.f_locals  # of a function of the standard library
        timeout: Any = local.get("timeout")
        thing = local.get("self")
        any_one, name = True, ""
        if stack.kind in {"result", "wait"}:
            group = [thing] if stack.kind == "result" else _group(local)
            wanted = [one for one in group if not _done(one)]
            if not wanted:
                return None
            thing, any_one = wanted[0], _any(waiting.f_code, local)
            sources = tuple(self._of_futures(wanted, any_one=any_one))
        elif stack.kind == "join":
            ident, told = attribute(thing, "_ident"), attribute(thing, "_name")
            name = told if type(told) is str else ""
            sources = (Source("thread", ident, name),) if type(ident) is int else ()
        else:
            sources = self._who_may_act(thing, stack.ident)
        return Blocked(
            stack.kind,
            f"{type_name(thing)}.{waiting.f_code.co_name}",
            frame,
            sources,
            "any" if any_one else "all",
            timeout is not None or _refuses(local),
            float(timeout) if type(timeout) in NUMBERS else None,
            self._numbers.of(thing),
            type=type_name(thing),
            name=name,
        )

    def _who_may_act(self, thing: Any, ident: int) -> tuple[Source, ...]:
        """Who may set what the thread of a loop waits for; of other threads it matters less."""
        if not any(fact.thread == ident for fact in self._program.loops.find()):
            return ()
        frames = {stack.ident: stack.frames for stack in self.stacks}
        return tuple(pending.who_may_act(self._program, thing, ident, frames))

    def _of_futures(self, wanted: list[Any], *, any_one: bool) -> Iterator[Source]:
        """What completes futures that are waited for; nothing where it is unknown."""
        found = [self._of_future(one) for one in wanted[:MOST_JOBS]]
        if not any_one or None not in found:
            yield from (source for source in found if source is not None)

    def _of_future(self, future: Any) -> Source | None:
        """What completes a ``concurrent.futures`` future, or None when that is unknown."""
        task = jobs.task_behind(future)
        if task is not None:
            if futures.done(task):  # its loop has still to tell so
                return Source("loop", self._program.loops.note(futures.loop(task)))
            return Source("task", self._program.tasks.of(task), futures.name(task))
        running = self._running.get(id(future))
        if running is not None:
            return Source("thread", *running)
        for number, _, _, pool in self._pools:
            if id(future) in pool.waiting:
                return Source("pool", number, pool.names.get(id(future), ""))
        scheduled = self._starts.get(id(future))
        return Source("loop", *scheduled) if scheduled is not None else None

    def _holders(self, lock: Any, waiter: int) -> Iterator[Source]:
        """Threads that have a lock: an RLock tells, of others their code does."""
        owner = calls.owner(lock)
        if owner is not None:
            yield Source("thread", owner, jobs.thread_names().get(owner, ""))
            return
        for stack in self.stacks:
            if stack.ident == waiter or type(lock) is not calls.Lock:
                continue
            for frame in stack.frames:
                if not is_own(frame.f_code.co_filename):
                    continue
                for one in calls.taken(frame):
                    if one.lock is lock:
                        name = jobs.thread_names().get(stack.ident, "")
                        yield Source("thread", stack.ident, name, one.certain)
                        break


def _stack(ident: int, top: FrameType) -> _Stack:
    """The frames of a thread, and the wait that the innermost ones are in."""
    found = _Stack(ident, [])
    frame: FrameType | None = top
    while frame is not None and len(found.frames) < jobs.DEPTH:
        found.frames.append(frame)
        frame = frame.f_back
    for frame in found.frames[:DEPTH]:
        if frame.f_code in _WAITS:
            found.waiting, found.kind = frame, _WAITS[frame.f_code]
        elif frame.f_code.co_filename not in _LIBRARY:
            break
    if found.waiting is None:
        found.taking = calls.taking(top)
        if found.taking is not None and not calls.locked(found.taking.lock):
            found.taking = None
    return found


def _items(stack: _Stack) -> Iterator[tuple[Any, Any]]:
    """The jobs that a thread runs, each with its future."""
    for frame in stack.frames:
        if frame.f_code is _ITEM.__code__:
            item = frame.f_locals.get("self")
            yield item, attribute(item, "future")


def _runs(stack: _Stack) -> list[Any]:
    """Tasks for whose sake a thread runs a loop."""
    found = []
    for frame in stack.frames:
        name = pending.RUNS.get(frame.f_code)
        task = frame.f_locals.get(name) if name is not None else None
        if futures.is_task(task) and not futures.done(task):
            found.append(task)
    return found


def _group(local: Any) -> list[Any]:
    """The futures that ``wait()`` or ``as_completed()`` waits for."""
    for name in ("not_done", "pending", "fs"):
        if type(local.get(name)) in _GROUPS:
            try:
                return list(local[name])[: jobs.MOST_JOBS]
            except RuntimeError:  # it changed while it was copied
                continue
    return []


def _any(code: CodeType, local: Any) -> bool:
    """True when one of the futures is enough."""
    return code is _base.as_completed.__code__ or (
        code is _base.wait.__code__ and local.get("return_when") != _base.ALL_COMPLETED
    )


def _done(future: Any) -> bool:
    return attribute(future, "_state") not in {_base.PENDING, _base.RUNNING}


def _refuses(local: Any) -> bool:
    """True for a call that does not wait at all."""
    return local.get("blocking", True) is False or local.get("block", True) is False
