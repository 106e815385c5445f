"""What a thread stands still for, and the thread pools it may be waiting on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from asyncconsole.model.task import Frame

BlockedKind = Literal[
    "result", "wait", "join", "lock", "event", "condition", "semaphore", "barrier", "queue"
]
"""``result``: ``Future.result()`` or ``exception()`` of ``concurrent.futures``; ``wait``: its
``wait()`` or ``as_completed()``; the others are ``threading``'s and ``queue``'s."""

SourceKind = Literal["task", "thread", "pool", "loop"]


@dataclass(frozen=True, slots=True)
class Source:
    """What lets a blocked thread go on.

    Attributes:
        kind: ``task``: that it ends, or, of a lock or event, that it goes on. ``thread``: that
            it ends, its job ends, or it gives the lock back. ``pool``: that one of its
            threads takes the job. ``loop``: that it runs its next callbacks.
        number: Id of the task, ident of the thread, id of the pool or of the loop.
        name: What that would do it there: the job's or coroutine's name.
        certain: False where it is only likely that this, and nothing else, does it.
    """

    kind: SourceKind
    number: int
    name: str = ""
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Blocked:
    """A blocking wait that a thread is in.

    Attributes:
        kind: See `BlockedKind`.
        call: What it calls, in the words of its source (``future.result``), or "".
        frame: Its innermost frame of the program's own code that calls it, or None.
        sources: What would let it go on, as far as known; () for unknown.
        needs: How many of ``sources`` it takes.
        bounded: True when it stops waiting by itself.
        timeout: Seconds for which it waits at most; None where unknown or unbounded.
        token: Number of what it waits for, equal in two snapshots for the very same thing.
        resource: Id of the lock (``L3``), for ``lock``.
        type: Type of what it waits for (``threading.RLock``), or "".
        name: Name of what it waits for, or "".
    """

    kind: BlockedKind
    call: str = ""
    frame: Frame | None = None
    sources: tuple[Source, ...] = ()
    needs: Literal["all", "any"] = "all"
    bounded: bool = False
    timeout: float | None = None
    token: int = 0
    resource: str = ""
    type: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A job of a pool that a task or a thread waits for.

    Attributes:
        function: Name of what it calls, or "".
        thread: Ident of the thread that runs it; None while it is queued.
        ahead: Jobs queued before it.
        tasks: Ids of the tasks that wait for it.
    """

    function: str
    thread: int | None = None
    ahead: int = 0
    tasks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Start:
    """A coroutine that ``run_coroutine_threadsafe`` has given to a loop, and no task yet.

    Attributes:
        loop: Id of the loop that has to make the task.
        function: Name of the coroutine.
        tasks: Ids of the tasks, of other loops, that wait for it.
    """

    loop: int
    function: str
    tasks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Pool:
    """A ``ThreadPoolExecutor``.

    Attributes:
        id: Small number, stable as long as it lives.
        name: Its ``thread_name_prefix``, or "".
        threads: Idents of its threads.
        most: Threads it may have; None when unknown.
        queued: Jobs in its queue.
        jobs: Those of its jobs that a task waits for.
    """

    id: int
    name: str = ""
    threads: tuple[int, ...] = ()
    most: int | None = None
    queued: int = 0
    jobs: tuple[Job, ...] = ()

    @property
    def full(self) -> bool:
        """True when no thread will be added for a job that is queued."""
        return self.most is not None and len(self.threads) >= self.most


@dataclass(frozen=True, slots=True)
class Stranded:
    """A callback that waits in the queue of a loop whose thread sleeps: nobody woke it.

    Attributes:
        call: What it calls, in words; ``Task.__wakeup`` or ``Task.__step`` of a task.
        token: Number of the callback, equal in two snapshots for the very same; 0 if unknown.
        tasks: Ids of the tasks that it lets go on.
        wait: What these wait for, in words (``Event READY``), or "".
        loops: Ids of other loops whose tasks refer to what they wait for.
        threads: Idents of threads without a loop whose code refers to it.
    """

    call: str
    token: int = 0
    tasks: tuple[int, ...] = ()
    wait: str = ""
    loops: tuple[int, ...] = ()
    threads: tuple[int, ...] = ()
