"""Who created each task, where and when; and how it ended.

Up to 3.13 every task, however it is made and on whichever loop, is added to one registry:
its ``add`` is replaced on the instance by one that stores the record in the very weak
reference that the registry keeps anyway. From 3.14 C tasks are in linked lists instead, so
``BaseEventLoop.create_task`` is patched there, and loops that have a ``create_task`` of
their own (uvloop's) get a task factory that calls the one they had.

A record keeps code objects and instruction numbers: no frame, task or coroutine. Lines and
names are looked up when somebody asks.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
import time
import weakref
from asyncio import base_events as _base
from asyncio import runners as _runners
from asyncio import tasks as _tasks
from collections.abc import Callable
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.records import Creation, frame_at, sites
from asyncconsole.track.ended import Ring
from asyncconsole.track.patch import Patch, stock
from asyncconsole.track.rush import ORDINARY, YOUNG, Rush

log = logging.getLogger("asyncconsole")

FRAMES = 5
"""Frames of a creation chain, when not told otherwise."""

MOST_FRAMES = 50
"""The most that may be asked for."""

_REGISTRY: Any = getattr(_tasks, "_scheduled_tasks", None)
if _REGISTRY is None:  # an empty one is false
    _REGISTRY = getattr(_tasks, "_all_tasks", None)
_BY_REGISTRY = sys.version_info < (3, 14) and isinstance(_REGISTRY, weakref.WeakSet)

_Note = Callable[["Record", Any, Any, Any], None]
_groups = sys.modules.get("asyncio.taskgroups")
_LIBRARY = [vars(module) for module in (_base, _tasks, _groups, _runners) if module is not None]


class Record(weakref.ref):  # type: ignore[type-arg]  # weakref.ref can't be subscripted as a base
    """A weak reference to a task that knows how the task came to be.

    Attributes:
        created: Monotonic time.
        creator: Plain weak reference to the task that created it, or None.
        sites: Code and instruction of each frame, innermost first, flat.
    """

    __slots__ = ("created", "creator", "sites")
    created: float
    creator: weakref.ref[Any] | None
    sites: tuple[Any, ...]


def record_of(task: Any) -> Record | None:
    """The record of a live task."""
    for reference in weakref.getweakrefs(task):
        if type(reference) is Record:
            return reference
    return None


def creation(record: Record) -> Creation:
    """A record in words that a capture understands."""
    frames = []
    for site in sites(record.sites):
        if site.code.co_filename.startswith(_ASYNCIO):
            if site.code.co_name == "create_task":
                continue  # the program's task factory was called from here
            break  # the loop's own: from here on it is no longer the creator
        frames.append(frame_at(site))
    creator = record.creator() if record.creator is not None else None
    return Creation(record.created, tuple(frames), creator)


_ASYNCIO = _base.__file__.rpartition("base_events")[0]


def _caller(frame: Any) -> Any:
    """The innermost frame that is not asyncio's, from one of ``create_task`` outwards."""
    while frame.f_back is not None and any(frame.f_globals is space for space in _LIBRARY):
        frame = frame.f_back
    return frame


class TaskHook:
    """Records new tasks while it is on.

    Args:
        ring: Takes tasks that end.
    """

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self.on = False
        self.frames = FRAMES
        self.broken = ""
        self._patch: Patch | None = None
        self._undo: list[Callable[[], None]] = []
        self._records: set[Record] = set()
        self._generation = 0
        self._rush: Rush | None = None
        self._note: _Note | None = None

    def switch_on(self, frames: int = FRAMES) -> None:
        """Begin to record; called again, it changes the number of frames."""
        self.switch_off()
        self.frames = max(1, min(int(frames), MOST_FRAMES))
        self.on = True
        self.broken = ""
        self._generation += 1
        if _BY_REGISTRY and "add" not in vars(_REGISTRY):
            self._watch_registry()
        else:
            self._watch_loops()

    def switch_off(self) -> None:
        """Take everything off; what somebody has put above ours does nothing from now on."""
        self.on = False
        self._generation += 1  # what can't be taken off sees that it is of another time
        for undo in self._undo:
            undo()
        self._undo.clear()
        if self._rush is not None:
            rush, self._rush = self._rush, None
            rush.close()
        if self._patch is not None:
            self._patch.off()
            self._patch = None

    def note_loop(self, loop: Any) -> None:
        """A loop was found: see that its tasks are recorded as well."""
        if not self.on or self._patch is None or isinstance(loop, _base.BaseEventLoop):
            return
        if getattr(loop.get_task_factory(), "asyncconsole", None) != self._generation:
            self._set_factory(loop)

    @property
    def busy(self) -> bool:
        """True when a rush of tasks has left something to do."""
        return self._rush is not None and self._rush.busy

    def beat(self, idle: Callable[[Any], bool]) -> None:
        """Now and then, in the side thread: see `Rush.beat`."""
        if self._rush is not None:
            self._rush.beat(idle)

    def unsaid(self) -> list[Any]:
        """Tasks that have ended and are not in the ring yet."""
        return self._rush.unsaid() if self._rush is not None else []

    def _fail(self, error: BaseException) -> None:
        """A hook raised: never again, and the program goes on."""
        if not self.broken:
            self.broken = f"{type(error).__name__}: {error}"[:200]
            self.on = False
            self._generation += 1
            log.error("task tracking failed and is off: %s", self.broken)

    def _noter(self) -> _Note:  # noqa: C901, PLR0915 - calls would cost what this must not
        """A function that fills the record of a new task. Every nanosecond counts in it."""
        generation = self._generation
        frames, ring = self.frames, self.ring
        now, reference = time.monotonic, weakref.ref
        base, tasks, groups, runners = (*_LIBRARY, {}, {})[:4]
        shared = contextvars.Context()  # or each callback would be given a copy of its own

        def ended(task: Any) -> None:
            if self._generation == generation:
                try:
                    ring.add(task, record_of(task))
                except Exception as error:
                    self._fail(error)

        def finish(task: Any) -> None:
            ring.add(task, record_of(task), exact=False)

        def follow(task: Any) -> None:
            task.add_done_callback(ended, context=shared)

        rush = self._rush = Rush(finish, follow, ring.forget)
        later, look = rush.young.append, rush.look
        spare, due = ORDINARY, 0.0
        last: weakref.ref[Any] = reference(self)  # no task at first

        def note(record: Record, task: Any, creator: Any, frame: Any) -> None:
            nonlocal spare, due, last
            try:
                while (
                    (space := frame.f_globals) is tasks
                    or space is base
                    or space is groups
                    or space is runners
                ):
                    frame = frame.f_back
                above = frame.f_back
                if (
                    above is not None
                    and ((space := above.f_globals) is base or space is tasks)
                    and above.f_code.co_name == "create_task"
                ):  # a task factory of the program, which is no creator
                    frame = _caller(above)
                if frames == 1:
                    record.sites = (frame.f_code, frame.f_lasti)
                else:
                    found: list[Any] = []
                    left = frames
                    while frame is not None and left:
                        found += (frame.f_code, frame.f_lasti)
                        frame = frame.f_back
                        left -= 1
                    record.sites = tuple(found)
            except AttributeError:  # no frame at all: C code made it
                record.sites = ()
            record.created = created = now()
            if creator is None:
                record.creator = None
            else:
                by = last  # mostly one task makes several
                if by() is not creator:
                    last = by = reference(creator)
                record.creator = by
            spare -= 1
            if spare >= 0:
                if task.done():  # eager, and never suspended
                    ended(task)
                else:
                    task.add_done_callback(ended, context=shared)
            else:
                later(task)
                if created >= due or spare <= -YOUNG:
                    spare, due = look(futures.loop(task), created)

        return note

    def _watch_registry(self) -> None:
        registry = _REGISTRY
        original = type(registry).add
        remove, pending, keep = registry._remove, registry._pending_removals, registry.data.add  # noqa: SLF001 - WeakSet.add itself uses these
        running = _tasks._current_tasks  # type: ignore[attr-defined]  # noqa: SLF001 - up to 3.13, see above
        note, here = self._noter(), sys._getframe  # noqa: SLF001 - inspect is too slow here
        generation = self._generation

        def add(task: Any) -> None:
            if self._generation != generation:
                original(registry, task)
                return
            if pending:
                registry._commit_removals()  # noqa: SLF001 - as WeakSet.add does
            record = Record(task, remove)
            keep(record)
            try:
                note(record, task, running.get(task._loop), here(1))  # noqa: SLF001 - a C getter
            except Exception as error:
                self._fail(error)

        registry.add = add

        def undo() -> None:
            if vars(registry).get("add") is add:
                del registry.add

        self._undo.append(undo)

    def _watch_loops(self) -> None:
        before = _base.BaseEventLoop.create_task
        inline = stock(_base.BaseEventLoop, "create_task") and sys.version_info >= (3, 14)
        current, here = asyncio.current_task, sys._getframe  # noqa: SLF001 - inspect is too slow here
        note = self._note = self._noter()
        drop, keep = self._records.discard, self._records.add
        generation, hook = self._generation, self

        def create_task(self: Any, coro: Any, **keywords: Any) -> Any:
            if inline and self._task_factory is None and not self._closed:
                # In the very steps of the method that was there, which is a call less.
                task = _tasks.Task(coro, loop=self, **keywords)
                if task._source_traceback:  # type: ignore[attr-defined]  # noqa: SLF001 - see above
                    del task._source_traceback[-1]  # type: ignore[attr-defined]  # noqa: SLF001 - see above
                new = True
            else:
                task = before(self, coro, **keywords)
                new = record_of(task) is None
            try:
                if new and hook._generation == generation:
                    record = Record(task, drop)
                    keep(record)
                    note(record, task, current(self), here(1))
            except Exception as error:
                hook._fail(error)
            try:
                return task
            finally:
                del task  # an eager task's exception has this frame in its traceback

        create_task.__qualname__ = "BaseEventLoop.create_task"
        create_task.__doc__ = before.__doc__
        create_task.__wrapped__ = before  # type: ignore[attr-defined]  # as functools.wraps does
        self._patch = Patch(_base.BaseEventLoop, "create_task", create_task)

    def _set_factory(self, loop: Any) -> None:
        """A task factory for a loop whose ``create_task`` is not Python's."""
        before = loop.get_task_factory()
        current, here = asyncio.current_task, sys._getframe  # noqa: SLF001 - inspect is too slow here
        note, drop, keep = self._note, self._records.discard, self._records.add
        generation = self._generation

        def factory(loop: Any, coro: Any, **keywords: Any) -> Any:
            if before is None:
                task = asyncio.Task(coro, loop=loop, **keywords)
            else:
                task = before(loop, coro, **keywords)
            if self._generation == generation and note is not None and record_of(task) is None:
                try:
                    record = Record(task, drop)
                    keep(record)
                    note(record, task, current(loop), here(1))
                except Exception as error:
                    self._fail(error)
            return task

        factory.asyncconsole = generation  # type: ignore[attr-defined]  # how `note_loop` knows it
        loop.set_task_factory(factory)
        reference = weakref.ref(loop)

        def undo() -> None:
            found = reference()
            if found is not None and found.get_task_factory() is factory:
                found.set_task_factory(before)

        self._undo.append(undo)
