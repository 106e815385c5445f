"""The nouns around one task: its frames, what it waits for, what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from asyncconsole.model.jam import Jam

State = Literal["running", "ready", "waiting", "sleeping"]
"""``running``: executes now. ``ready``: will run at the loop's next turn.
``waiting``: suspended on something. ``sleeping``: suspended on a timer only."""

Needs = Literal["all", "all_or_error", "any"]
"""How many of the tasks that a wait names must end before the waiter goes on."""


KINDS = (
    "lock",
    "semaphore",
    "condition",
    "limiter",
    "pool",
    "event",
    "queue_get",
    "queue_put",
    "queue_join",
    "barrier",
    "task",
    "gather",
    "wait",
    "as_completed",
    "wait_for",
    "shield",
    "task_group",
    "timer",
    "future",
    "executor",
    "stream",
    "stream_send",
    "stream_receive",
    "socket",
    "subprocess",
    "server",
)
"""What a task can wait for; see `Wait.kind`."""

Detail = tuple[str, str | int | float | bool | None]
"""A fact worth showing: its name in words, and its value."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One level of an await stack, outermost first.

    Attributes:
        file: Path as the code object has it.
        line: 1-based line that is suspended or executing; 0 when unknown.
        function: Qualified name where Python knows it (3.11+), else the name.
        own: False for the standard library and installed packages.
        kind: ``coroutine``, ``generator``, ``async_generator``, ``call`` (a plain
            frame of a task that runs right now) or ``object`` (an awaitable
            without a Python frame; ``function`` is its type's name).
    """

    file: str
    line: int
    function: str
    own: bool = True
    kind: str = "coroutine"


@dataclass(frozen=True, slots=True)
class Hold:
    """A primitive that a task has taken and not given back.

    Attributes:
        resource: Id of the resource (``L3``).
        frame: Index into the task's frames of the frame that took it, or -1.
        file: Where it was taken.
        line: Line of the ``async with`` or ``acquire()`` that took it.
        function: Function that took it.
        since: Seconds it has been held, a lower bound unless ``exact``; None when unknown.
        how: Evidence: ``stack`` (the exit of an ``async with`` in force on the
            frame), ``generator`` (same, in an async generator the task keeps),
            ``running`` (read from the code of a task that runs now), ``flow``
            (its code awaited ``acquire()`` and has not called ``release()``),
            ``inside`` (the ``async with`` is on an object whose own ``__aenter__``
            and ``__aexit__`` take it and give it back);
            ``tracked`` (recorded when it was taken; then ``since`` is exact);
            ``use`` (the task is suspended in a call on a pool's connection);
            ``owner`` (the primitive keeps its owner itself; ``line`` is 0 and ``frame``
            -1 where nothing shows where it was taken).
        certain: False when the evidence is not a proof.
        exact: True when ``since`` was recorded and not merely observed.
    """

    resource: str
    frame: int
    file: str
    line: int
    function: str
    since: float | None = None
    how: str = "stack"
    certain: bool = True
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """What a suspended task waits for.

    Attributes:
        kind: One of `KINDS`.
        name: The primitive's name (``ACCOUNTS['bob']``), or words for what is none.
        type: The primitive's type (``Lock``), or "".
        resource: Id of the primitive, when it is one.
        since: Seconds, a lower bound unless ``exact``.
        exact: True when ``since`` was recorded and not merely observed.
        token: Number of the awaited future. Equal tokens in two snapshots mean
            the very same future: the task was blocked all the time between.
        tasks: Ids of the tasks that must end (see ``needs``).
        needs: How many of ``tasks``.
        pending: Things of a ``gather``/``wait`` not done yet; None elsewhere.
        total: All things of a ``gather``/``wait``; None elsewhere.
        opaque: True when something else than ``tasks`` and ``resource`` may also
            end this wait, so that it can't be part of a proof.
        due: Seconds until a timer ends this wait by itself; None without one.
        thread: Ident of the thread that runs the job it waits for, when one does.
        details: What else is known: peer, buffered bytes, pid, place in a pool's queue.
        jam: The streams that hold it up, where it waits until they are read or have sent.
    """

    kind: str
    name: str
    type: str = ""
    resource: str | None = None
    since: float = 0.0
    exact: bool = False
    token: int = 0
    tasks: tuple[int, ...] = ()
    needs: Needs = "all"
    pending: int | None = None
    total: int | None = None
    opaque: bool = False
    due: float | None = None
    thread: int | None = None
    details: tuple[Detail, ...] = ()
    jam: Jam | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One asyncio task.

    Attributes:
        id: Small number, stable for the life of the process.
        name: ``Task.get_name()``.
        state: See `State`.
        coro: Qualified name of the outermost coroutine.
        loop: Id of its loop.
        address: ``id(task)``.
        wait: None when it runs or is ready.
        frames: Await stack, outermost first; empty when it can't be read.
        holds: Primitives it holds, in the order they were taken.
        awaited_by: Ids of the tasks that wait for it to end.
        deadline: Seconds until a timeout in force cancels or wakes it; None when
            there is none; 0 when one is about to.
        watchers: Ids of tasks that will wake by themselves, refer to this task and
            whose code cancels: hand-written timeouts.
        children: Ids of the tasks in TaskGroups that it is inside of: they are
            cancelled with it.
        endless: True when it is in a TaskGroup, or entered one, and its own code is in
            a loop that has no end and raises nothing: it will hardly fail.
        cancelling: Cancellation requests not yet served (3.11+), else 0.
        created: ISO 8601 UTC, when tracked.
        age: Seconds, when tracked.
        creation: Where it was created, innermost frame first, when tracked.
        creator: Id of the task that created it, when tracked and that one still lives.
        threads: Idents of threads that stand still until it ends
            (``run_coroutine_threadsafe(...).result()``).
        catches: The handler around where it stands that catches a cancellation and goes on,
            as its source has it; looked for only where somebody may have cancelled it.
        then: Functions of the program's own that run when it ends (``add_done_callback``).
        gap: Why something here is missing, or "".
    """

    id: int
    name: str
    state: State
    coro: str
    loop: int
    address: int = 0
    wait: Wait | None = None
    frames: tuple[Frame, ...] = ()
    holds: tuple[Hold, ...] = ()
    awaited_by: tuple[int, ...] = ()
    deadline: float | None = None
    watchers: tuple[int, ...] = ()
    children: tuple[int, ...] = ()
    cancelling: int = 0
    created: str | None = None
    age: float | None = None
    gap: str = ""
    creation: tuple[Frame, ...] = ()
    creator: int | None = None
    endless: bool = False
    threads: tuple[int, ...] = ()
    catches: Frame | None = None
    then: tuple[str, ...] = ()

    @property
    def where(self) -> Frame | None:
        """The innermost frame of the program's own code, else the innermost."""
        for frame in reversed(self.frames):
            if frame.own and frame.kind != "object":
                return frame
        for frame in reversed(self.frames):
            if frame.line:
                return frame
        return None
