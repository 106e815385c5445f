"""One task, read from outside: still with live objects, dropped after the capture."""

from __future__ import annotations

import gc
import sys
import types
from itertools import islice
from typing import Any

from asyncconsole.capture import chain as chains
from asyncconsole.capture import futures, libraries
from asyncconsole.capture.code import code_facts, is_own, short
from asyncconsole.capture.exits import referents
from asyncconsole.capture.holders import Grip, grip, idle
from asyncconsole.capture.names import own_class
from asyncconsole.capture.objects import Types, contents, type_name
from asyncconsole.capture.running import thread_frames
from asyncconsole.capture.shapes import UNPLANNED, Shape, code_of
from asyncconsole.capture.waiting import Waiting, loop_time
from asyncconsole.capture.waits import clues, follow, understand
from asyncconsole.model import Frame
from asyncconsole.model.task import State

TRIES = 3
"""Reads of a task that moves before its stack is given up."""

_GROUPS = Types(list, tuple, set, frozenset)
MOST_ITEMS = 10_000
"""Members of one container that are looked at."""


class Draft:
    """A task on its way into a snapshot. Not kept after it.

    Attributes:
        task: The live task.
        number: Its id.
        loop: Its live loop.
        state: As in the model.
        chain: Its levels; empty when they could not be read.
        frames: The same as plain data; tasks that stand alike share it.
        waiting: What it waits for.
        grip: What it holds; one that is empty is shared.
        future: What it is suspended on.
        token: Number of the awaited future.
        since: Monotonic time at which that future was first seen.
        gap: Why something is missing.
    """

    __slots__ = (
        *("chain", "frames", "future", "gap", "grip", "loop", "number", "since"),
        *("state", "task", "token", "waiting"),
    )

    def __init__(self, task: Any, number: int, loop: Any) -> None:
        self.task = task
        self.number = number
        self.loop = loop
        self.state: State = "ready"
        self.chain: chains.Chain = _NO_CHAIN
        self.frames: tuple[Frame, ...] = ()
        self.waiting: Waiting | None = None
        self.grip: Grip = NOTHING
        self.future: Any = None
        self.token = 0
        self.since = 0.0
        self.gap = ""

    def loop_time(self) -> float:
        """The clock that this task's timers go by."""
        return loop_time(self.loop)

    def refers(self) -> list[Any]:
        """What the task's frames refer to: directly, in containers, one object away."""
        found: dict[int, Any] = {}
        for level in self.chain.levels:
            held = referents(level.owner)
            held += contents(tuple(item for item in held if type(item) is types.CellType))
            if code_facts(level.code).cancels:
                held += _globals(level)
            for item in held:
                found[id(item)] = item
                inner = gc.get_referents(item) if own_class(type(item)) else [item]
                for thing in inner[:MOST_ITEMS]:
                    found[id(thing)] = thing
                    for member in members(thing):
                        found[id(member)] = member
                        if type(thing) is dict:  # an object's attributes
                            found.update((id(deep), deep) for deep in members(member))
        return list(found.values())

    def cancels(self) -> bool:
        """True when code on its stack calls something named ``cancel``."""
        return self.chain.shape.cancels


def members(thing: Any) -> list[Any]:
    """What a plain container holds."""
    for _ in range(TRIES):
        try:
            if id(type(thing)) in _GROUPS.ids:
                return list(islice(thing, MOST_ITEMS))
            if type(thing) is dict:
                return list(islice(thing.values(), MOST_ITEMS))
        except RuntimeError:  # it changed meanwhile
            continue
    return []


def _globals(level: chains.Level) -> list[Any]:
    """Globals that a level's code names."""
    function = next(
        (item for item in referents(level.owner) if type(item) is types.FunctionType), None
    )
    space = function.__globals__ if function is not None else None
    if space is None:  # 3.10 shows the frame's globals
        space = next(
            (
                i
                for i in referents(level.owner)
                if type(i) is dict and "__name__" in i and "__builtins__" in i
            ),
            {},
        )
    return [space[name] for name in level.code.co_names if name in space]


def read(draft: Draft, *, running: bool, holds: bool) -> None:
    """Fill a draft in; a task that keeps moving is left with a gap."""
    task = draft.task
    coroutine = futures.coroutine(task)
    waiter = futures.waiter
    if running:
        draft.state = "running"
        draft.chain = chains.walk(coroutine)
        draft.frames = running_frames(coroutine)
        draft.gap = "runs now: its stack can't be read for what it holds"
        return
    for _ in range(TRIES):
        future = waiter(task)
        chain = chains.walk(coroutine)
        shape = chain.shape
        waiting = None
        if future is not None and not futures.done(future):
            waiting = _wait(chain, shape, future)
        held = _grip(chain, shape) if holds else NOTHING
        if waiter(task) is future:
            draft.chain, draft.waiting, draft.grip, draft.future = chain, waiting, held, future
            draft.state = _state(waiting)
            draft.frames = shape.frames
            tail = chain.tail
            if tail is not future and tail is not None and waiting and not futures.is_future(tail):
                draft.frames = (*shape.frames, _object(tail))
            draft.gap = held.unread
            return
    draft.gap = "moved while it was read"


_NO_CHAIN = chains.Chain([])
NOTHING = Grip((), (), children=())  # type: ignore[arg-type]  # shared, so nobody may add to it
_RELEASES = Grip((), (), releases=True, children=())  # type: ignore[arg-type]  # same


def _wait(chain: chains.Chain, shape: Shape, future: Any) -> Waiting:
    """What a task waits for: only the levels that tell it are looked at again."""
    if not shape.plain or libraries.waits():
        return understand(chain, future)
    if shape.plan is UNPLANNED:
        shape.plan = clues([code_of(owner) for owner in chain.owners])
    if shape.plan is None:
        return understand(chain, future)
    return follow(shape.plan, chain.owners, future)


def _grip(chain: chains.Chain, shape: Shape) -> Grip:
    """What a task holds: nothing at all wherever code stands like that."""
    if holds_nothing(chain):
        return _RELEASES if shape.releases else NOTHING
    return grip(chain)


def holds_nothing(chain: chains.Chain) -> bool:
    """True when no task that stands like that can hold anything."""
    shape = chain.shape
    if shape.idle is None:
        shape.idle = idle(shape.spots, [code_of(owner) for owner in chain.owners])
    return shape.idle


def stands_in(chain: chains.Chain, code: types.CodeType) -> bool:
    """True when a level of a chain runs that code."""
    return id(code) in chain.key[::2]


def _state(waiting: Waiting | None) -> State:
    if waiting is None:
        return "ready"
    return "sleeping" if waiting.kind == "timer" else "waiting"


def _object(tail: Any) -> Frame:
    """An awaitable without a Python frame, at the end of a stack."""
    return Frame("", 0, type_name(tail), own=False, kind="object")


def running_frames(coroutine: Any) -> tuple[Frame, ...]:
    """Stack of a task that executes now, from its own coroutine inwards.

    Found in the thread that runs it: the frames inside of the coroutine's own.
    """
    outermost = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
    if outermost is None:
        return ()
    for top in thread_frames().values():
        found: list[Frame] = []
        frame = top
        while frame is not None and len(found) < chains.MOST:
            found.append(call_frame(frame))
            if frame is outermost:
                return tuple(found[::-1])
            frame = frame.f_back  # type: ignore[assignment]  # None at the bottom ends the loop
    return ()


def call_frame(frame: Any) -> Frame:
    """A frame of a running stack as plain data."""
    code = frame.f_code
    function = code.co_qualname if sys.version_info >= (3, 11) else code.co_name
    kind = "coroutine" if code.co_flags & 0x80 else "call"
    return Frame(
        code.co_filename, frame.f_lineno or 0, short(function), is_own(code.co_filename), kind
    )
