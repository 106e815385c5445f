"""Event loops and the threads they run in."""

from __future__ import annotations

from dataclasses import dataclass

from asyncconsole.model.blocked import Blocked, Stranded
from asyncconsole.model.task import Frame


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread of the program and its stack, outermost frame first.

    Attributes:
        ident: ``threading.get_ident()``.
        name: Name of the thread, or "" for one Python's threading doesn't know.
        daemon: True for a daemon thread.
        native_id: The kernel's thread id, when known.
        loop: Id of the event loop that runs in it, when one does.
        frames: Its stack.
        waits_for: Ids of the tasks without whose end it can't go on: it blocks in
            ``concurrent.futures.Future.result()`` or the like.
        works_for: Ids of the tasks that wait for the job it runs.
        timeout: Seconds for which it waits for ``waits_for`` at most; None for ever.
        blocked: The blocking wait that it is in; None for none, or none that is known.
        runs: Ids of the tasks for whose sake it runs a loop: it does not end before they do.
        ran: CPU time that it has used, ns: equal in two snapshots when it stood still
            between them. None where the system doesn't tell.
    """

    ident: int
    name: str
    daemon: bool = False
    native_id: int | None = None
    loop: int | None = None
    frames: tuple[Frame, ...] = ()
    waits_for: tuple[int, ...] = ()
    works_for: tuple[int, ...] = ()
    timeout: float | None = None
    blocked: Blocked | None = None
    runs: tuple[int, ...] = ()
    ran: int | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """One event loop.

    Attributes:
        id: Small number, stable for the life of the process; 1 is the first seen.
        type: Class name with module.
        thread: Name of the thread it runs in, or "".
        thread_id: Ident of that thread, or None when it doesn't run.
        running: True while it runs.
        closed: True once closed.
        debug: asyncio debug mode.
        task: Id of the task that executes right now.
        tasks: Tasks that belong to it.
        ready: Callbacks in its ready queue; None when the loop doesn't tell (uvloop).
        timers: Scheduled timers; None when the loop doesn't tell.
        lag: Seconds the loop needed for the last question, or has needed so far.
        lag_p50: Median of the probe's measurements, seconds; None before any.
        lag_p99: 99th percentile of the same.
        blocked: Seconds since it last ran a callback, when it is blocked now.
        stranded: Callbacks in its queue although its thread sleeps; () while it is awake.
        guessed: True when another thread than ``thread`` may run it (uvloop on 3.14).
        files: Sockets and pipes it waits for, without its own, where ``stranded`` has something;
            None when the loop doesn't tell.
    """

    id: int
    type: str
    thread: str = ""
    thread_id: int | None = None
    running: bool = False
    closed: bool = False
    debug: bool = False
    task: int | None = None
    tasks: int = 0
    ready: int | None = None
    timers: int | None = None
    lag: float | None = None
    lag_p50: float | None = None
    lag_p99: float | None = None
    blocked: float | None = None
    stranded: tuple[Stranded, ...] = ()
    guessed: bool = False
    files: int | None = None
