"""The two ports of a command: the program it asks, and the person it talks to.

A live process and a dump file both are a `Target`; a telnet session, a plain
socket and ``asyncconsole connect`` all are a `Terminal`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from asyncconsole.commands.deeds import CancelOutcome, Deed, DeedOutcome
from asyncconsole.commands.keys import Keys
from asyncconsole.model import ConsoleError, Diagnosis, Snapshot, Stall
from asyncconsole.model.autopsy import Autopsy
from asyncconsole.model.busy import Busy
from asyncconsole.model.callbacks import Polls, SlowAccount
from asyncconsole.model.ended import Ended
from asyncconsole.model.status import DebugStatus, ProbeStatus, TrackStatus

Scope = Literal["tasks", "stacks", "all", "threads", "loops", "known"]
"""How much a snapshot must contain: ``loops`` only loops, the tasks that they run now, and
stalls; ``threads`` also every thread's stack; ``tasks`` also tasks with their innermost frames
and waits; ``stacks`` whole await stacks as well; ``all`` also primitives and holders; ``known``
also primitives that nobody waits for or holds, once they have a number."""


@dataclass(frozen=True, slots=True)
class Census:
    """A snapshot with primitives that no task waits for or holds.

    Attributes:
        snapshot: The program; primitives whose id begins with X have no lasting one.
        total: Primitives of the program; more than are listed, when there are very many.
        how: A line that says how they were found, and what may be missing.
    """

    snapshot: Snapshot
    total: int
    how: str


class Target(Protocol):
    """A program that commands ask."""

    read_only: bool

    async def snapshot(
        self,
        scope: Scope = "all",
        *,
        first: int | None = None,
        only: Collection[int] | None = None,
    ) -> Snapshot:
        """The program now (or as it was, for a dump).

        Args:
            scope: How much it must contain.
            first: Only that many tasks are needed, those with the lowest ids.
            only: Only the tasks with these ids are needed.
        """

    def stream(self, *, first: int | None = None) -> AsyncIterator[Snapshot]:
        """The same as ``snapshot("tasks")`` in pieces, at least one, tasks by their ids.

        Args:
            first: Only that many tasks are needed, those with the lowest ids.
        """

    async def around(
        self,
        tasks: Sequence[str] = (),
        resources: Sequence[str] = (),
        witnesses: Collection[int] = (),
        *,
        deep: bool = False,
    ) -> Snapshot:
        """As much as is needed of ``snapshot("all")`` to tell about a few.

        Args:
            tasks: Ids, names, or ``id()`` of tasks. Each is in it with what it holds and
                waits for, who awaits it, and who holds what it waits for.
            resources: Ids or names of primitives, with holders and waiters.
            witnesses: Ids of more tasks to be in it.
            deep: Also whom the tasks await and have in TaskGroups, however far, and the
                first who wait for what they hold.

        Returns:
            Whatever was found; nothing for words that name nothing.
        """

    async def census(self, most_memory: int | None = None) -> Census:
        """The program now, with every primitive of its heap.

        Args:
            most_memory: Bytes of memory above which the program is not copied for it;
                None for the default.
        """

    async def autopsy(self) -> Autopsy:
        """What a frozen copy of the program tells; only gaps where there can be none."""

    async def busy(self) -> tuple[Busy, ...]:
        """What loops that don't wait for events run; takes 0.2 s where there is one."""

    async def settle(self) -> None:
        """Let a moment pass, so that a second snapshot can confirm the first."""

    async def cancel(
        self, tasks: Sequence[int], wait: float, witnesses: Sequence[int] = ()
    ) -> tuple[Sequence[CancelOutcome], Mapping[int, str]]:
        """Ask these tasks to cancel and watch for ``wait`` seconds what happens.

        Returns:
            An outcome for each task, and what became of each witness: ``cancelled``,
            ``finished``, or ``alive``.
        """

    def rehearse(self, deed: Deed) -> None:
        """Find out whether a last resort can be tried at all; changes nothing.

        Raises:
            UnknownItemError: The task or lock is not there (any more).
            UsageError: It can't be done to that.
        """

    async def recover(
        self, deed: Deed, wait: float, witnesses: Sequence[int] = ()
    ) -> tuple[DeedOutcome, Mapping[int, str]]:
        """Do one of the last resorts and watch for ``wait`` seconds what comes of it.

        Returns:
            The outcome, and what became of each witness, as of `cancel`.

        Raises:
            UnknownItemError: As `rehearse`.
            UsageError: As `rehearse`.
        """

    def stalls(self) -> Sequence[Stall]:
        """Recorded stalls, oldest first; cheap, touches no loop."""

    def probe(
        self,
        *,
        on: bool | None = None,
        threshold: float | None = None,
        polls: bool | None = None,
        slow: float | None = None,
    ) -> ProbeStatus:
        """Change and tell the stall probe's settings; ``polls`` True begins a new account."""

    def slow_callbacks(self) -> SlowAccount:
        """What callbacks were slow while they were timed; cheap, touches no loop."""

    def polls(self, task: int) -> Polls | None:
        """How long the steps of a task take; None when it is not timed."""

    def track(self, *, tasks: bool | int | None = None, locks: bool | None = None) -> TrackStatus:
        """Change and tell what is tracked; ``tasks`` may be a number of frames."""

    async def debug(
        self, *, on: bool | None = None, slow: float | None = None, loop: int | None = None
    ) -> Sequence[DebugStatus]:
        """Change and tell asyncio's debug mode of loops; waits a moment for them at most.

        Args:
            on: Debug mode; None leaves it as it is.
            slow: Seconds after which a callback is logged as slow; None as well.
            loop: Id of the only loop that is meant; None for all.

        Raises:
            UnknownItemError: There is no such loop.
        """

    def ended(self) -> Sequence[Ended]:
        """Tasks that ended while tasks were tracked, oldest first."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a program does at a signal.

    Attributes:
        words: A verb and more: ``calls on_term (app.py:12) in the main thread``.
        ends: The process ends, or stands still, at once.
        python: Python code of the program runs for it.
    """

    words: str
    ends: bool = False
    python: bool = False


@runtime_checkable
class Recorded(Protocol):
    """What a `Target` has besides that is a program as it was, from a dump file."""

    title: str
    """Which program, and when: ``bank.py (pid 4242), taken at 2026-01-01T00:00:00Z``."""

    def judgement(self) -> tuple[Snapshot, Diagnosis]:
        """The verdict of the time when the program could still be looked at again."""

    def refusal(self, what: str) -> ConsoleError:
        """The error for what needs a living program."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that was written on the program's machine.

    Attributes:
        path: Where it is.
        size: Its bytes.
    """

    path: str
    size: int


Keep = Callable[[AsyncIterator[str], str | None, str], Awaitable[Kept]]
"""Writes text, compressed, into a new file: ``await keep(pieces, path, name)``.

``path`` is None for a file called ``name`` in the folder for temporary files. Commands find
this function as ``options.keep``.
"""


class ReplTarget(Target, Protocol):
    """A live program in whose loop statements can be run."""

    def namespace(self) -> dict[str, Any]:
        """Fresh namespace for a REPL session, with the program's own names."""

    def submit(self, loop: int, function: Callable[[], Any]) -> Callable[[], None]:
        """Have ``function()`` called by loop number ``loop`` soon (`call_soon_threadsafe`).

        Returns at once, also while that loop is blocked. Called from the side thread;
        ``function`` contains its own exceptions.

        Returns:
            Withdraws the call if it has not run yet, else does nothing; from any thread.

        Raises:
            UnknownItemError: There is no loop of that number (any more), or it is closed.
        """

    def ignore_loop(self, loop: Any) -> None:
        """Never show ``loop``, its tasks or its thread: it is the console's own."""

    def reaction(self, signal: int) -> Reaction:
        """What the program does at a signal; changes nothing."""

    def send_signal(self, signal: int, *, soon: bool) -> int:
        """Send the process a signal.

        Args:
            signal: Its number.
            soon: At once; False leaves time for an answer to get to the client.

        Returns:
            The pid.
        """


class Terminal(Protocol):
    """A person's (or script's) end of a session, seen from the side thread's loop.

    Attributes:
        width: Columns.
        height: Rows of its window.
        colour: True when escape codes may be written.
        paints: True when the cursor can be moved about its window.
        interactive: True when a person can be asked questions.
    """

    width: int
    height: int
    colour: bool
    paints: bool
    interactive: bool

    async def read_line(self, prompt: str, *, python: bool = False) -> str:
        """One line without its end.

        Raises:
            EOFError: The client left or typed Ctrl-D.
            KeyboardInterrupt: Ctrl-C at the prompt.
        """

    def write(self, text: str) -> None:
        """Queue text for the client, its lines ended by LF; never blocks or raises."""

    async def drain(self) -> None:
        """Wait until the client has taken what was written, or was dropped."""

    def on_interrupt(self, callback: Callable[[], None] | None) -> None:
        """Call ``callback`` when Ctrl-C arrives outside `read_line`; None to stop."""

    def take_keys(
        self, *, screen: bool = False, lines: bool = False, every: float | None = None
    ) -> AbstractContextManager[Keys]:
        """Get single keys instead of lines, inside.

        Args:
            screen: Also take the whole window, where ``paints``, until the end.
            lines: Where lines come instead, they are for later.
            every: Something is written every so many seconds, without an end.
        """
