"""The living program as a target of commands. Runs on the console's side loop."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from asyncconsole.capture import roll
from asyncconsole.model.errors import UnknownItemError
from asyncconsole.stall import Probe

if TYPE_CHECKING:
    from asyncconsole.act.cancel import Request
    from asyncconsole.capture.program import Program
    from asyncconsole.commands.port import CancelOutcome, ProbeStatus, Scope, TrackStatus
    from asyncconsole.model import Loop, Snapshot, Stall
    from asyncconsole.model.ended import Ended
    from asyncconsole.track.tracker import Status, Tracker

# What only commands need is imported where it is used: `loading.prepare` has loaded it then.
# ruff: noqa: PLC0415

OBSERVE = 2.0
"""Seconds between looks at what tasks wait on, so that waits get an age."""

MOST_OBSERVED = 2_000
"""Tasks above which these looks are left out: they would cost too much."""


class LiveTarget:
    """Reads, and on request changes, the process it lives in.

    Args:
        loop: The console's side loop.
        locals: Names for the REPL.
        read_only: True when nothing may be changed.
        stall_threshold: Seconds; None for the default, 0 for no probe.
        track_tasks: Record new tasks and ended ones; a number of frames, or True.
        track_locks: Record owners of locks.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        locals: Mapping[str, Any] | None = None,  # noqa: A002 - the contract's name
        read_only: bool = False,
        stall_threshold: float | None = None,
        track_tasks: bool | int = False,
        track_locks: bool = False,
    ) -> None:
        self.read_only = read_only
        self._locals = dict(locals or {})
        self._roll = roll.shared()
        self._roll.loops.ignore(loop)
        self._probe = Probe(
            loop, self._roll.loops, self._roll.number, stall_threshold, self._observe
        )
        self._observed = 0.0
        self._tracked = track_tasks, track_locks
        self._tracker: Tracker | None = None

    def start(self) -> None:
        """Begin to watch the loops. Must run on the side thread."""
        self._probe.start()
        tasks, locks = self._tracked
        if tasks or locks:
            self._configure(tasks, locks)

    def close(self) -> None:
        """Stop watching; may be called again."""
        self._probe.stop()
        if self._tracker is not None:
            self._tracker.close()
            self._tracker = None

    def _observe(self) -> None:
        """With a beat of the probe: note what tasks wait on, so that waits get an age."""
        if time.monotonic() - self._observed >= OBSERVE:
            self._roll.observe(MOST_OBSERVED)
            self._observed = time.monotonic()
            if self._tracker is not None:
                self._tracker.note_loops()

    @property
    def _program(self) -> Program:
        """Reads the program."""
        from asyncconsole.capture.program import shared

        return shared()

    async def snapshot(self, scope: Scope = "all", *, first: int | None = None) -> Snapshot:
        """The program now, read from the side thread in slices."""
        full = scope == "all"
        capture = self._program.capture(
            holds=full,
            resources=full,
            tasks=scope not in {"loops", "threads"},
            threads=scope in {"threads", "all"},
            first=first,
        )
        while True:
            try:
                next(capture)
            except StopIteration as end:
                found: Snapshot = end.value
                break
            await asyncio.sleep(0)
        loops = [await self._measured(loop) for loop in found.loops]
        return dataclasses.replace(found, loops=tuple(loops), stalls=self._probe.stalls())

    async def _measured(self, loop: Loop) -> Loop:
        """A loop with what the probe knows of it.

        An idle loop is not woken to measure its lag: that would cure, and so hide, a
        missing ``call_soon_threadsafe``.
        """
        facts = {fact.number: fact for fact in self._roll.loops.find()}
        fact = facts.get(loop.id)
        blocked = self._probe.blocked(loop.id)
        lag: float | None = None
        if fact is not None and fact.running:
            if fact.idle:
                lag = 0.0
            elif blocked is not None:
                lag = blocked
            else:
                lag = await self._probe.ask(loop.id, 0.2)
        known = self._probe.lags(loop.id)
        return dataclasses.replace(
            loop,
            lag=lag if lag is not None else known.last,
            lag_p50=known.p50,
            lag_p99=known.p99,
            blocked=blocked,
        )

    async def settle(self) -> None:
        """Let a moment pass between two captures."""
        from asyncconsole.serve.look import SETTLE

        await asyncio.sleep(SETTLE)

    async def cancel(
        self, tasks: Sequence[int], wait: float, witnesses: Sequence[int] = ()
    ) -> tuple[Sequence[CancelOutcome], Mapping[int, str]]:
        """Ask tasks to cancel and watch what happens."""
        from asyncconsole.act.cancel import Request, ask, fate, watch
        from asyncconsole.commands.port import CancelOutcome

        seen = {number: self._roll.find(number) for number in witnesses}
        requests = []
        for number in tasks:
            task = self._roll.find(number)
            if task is None:
                msg = f"Task {number} has ended."
                raise UnknownItemError(msg)
            requests.append(Request(task, *self._roll.number(task)))
            if self._tracker is not None:
                self._tracker.note_cancel(task)
        del task
        ask(requests)
        await watch(requests, wait)
        await self.settle()
        fates = {number: fate(task) for number, task in seen.items()}
        outcomes = [
            CancelOutcome(
                request.number,
                request.name,
                request.outcome,
                request.after,
                self._why_blocked(request) if request.outcome == "blocked" else request.detail,
            )
            for request in requests
        ]
        return outcomes, fates

    def _why_blocked(self, request: Request) -> str:
        """What keeps the task's loop from running its callbacks."""
        from asyncconsole.diagnose.phrases import place

        number = self._roll.loops.note(request.task.get_loop())
        for stall in self._probe.stalls():
            if stall.ongoing and stall.loop == number:
                frame = stall.frame
                where = place(frame.file, frame.line, frame.function) if frame else "C code"
                call = f" ({stall.call})" if stall.call else ""
                return (
                    f"its loop has been blocked for {stall.duration:.1f} s in {where}{call}, "
                    "so nothing can happen before that returns"
                )
        facts = {fact.number: fact for fact in self._roll.loops.find()}
        if number in facts and not facts[number].running:
            return "its loop is not running"
        return "its loop has not run a callback since"

    def stalls(self) -> Sequence[Stall]:
        """Recorded stalls, oldest first."""
        return self._probe.stalls()

    def probe(self, *, on: bool | None = None, threshold: float | None = None) -> ProbeStatus:
        """Change and tell the stall probe's settings."""
        from asyncconsole.commands.port import ProbeStatus

        status = self._probe.configure(on=on, threshold=threshold)
        return ProbeStatus(status.on, status.threshold, status.interval)

    def track(self, *, tasks: bool | int | None = None, locks: bool | None = None) -> TrackStatus:
        """Change and tell what is tracked."""
        from asyncconsole.commands.port import TrackStatus

        if self._tracker is None and not tasks and not locks:
            return TrackStatus(tasks=False, frames=0, locks=False, ended=0, dropped=0)
        found = self._configure(tasks, locks)
        return TrackStatus(
            found.tasks, found.frames, found.locks, found.ended, found.dropped, found.broken
        )

    def _configure(self, tasks: bool | int | None, locks: bool | None) -> Status:
        """Change the settings of tracking, which loads when it is first wanted."""
        if self._tracker is None:
            from asyncconsole.track.tracker import tracker

            self._tracker = tracker()
        return self._tracker.configure(tasks=tasks, locks=locks)

    def ended(self) -> Sequence[Ended]:
        """Tasks that ended while tasks were tracked, oldest first."""
        return self._tracker.ended() if self._tracker is not None else ()

    def namespace(self) -> dict[str, Any]:
        """Names for a new REPL session: the program's main module's, then ``locals``.

        A copy: what a session binds is its own.
        """
        main = sys.modules.get("__main__")
        theirs = {
            name: value
            for name, value in (vars(main).items() if main is not None else ())
            if not name.startswith("__")
        }
        return {**theirs, "asyncio": asyncio, **self._locals, "__name__": "__console__"}

    def submit(self, loop: int, function: Callable[[], Any]) -> Callable[[], None]:
        """Run ``function()`` on a loop soon.

        Raises:
            UnknownItemError: There is no such loop, or it is closed.
        """
        found = self._roll.loops.loop(loop)
        if found is None:
            msg = f"No loop {loop}. `loops` lists them."
            raise UnknownItemError(msg)
        try:
            handle = found.call_soon_threadsafe(function)
        except RuntimeError:
            msg = f"Loop {loop} is closed."
            raise UnknownItemError(msg) from None
        return handle.cancel  # type: ignore[no-any-return]  # asyncio.Handle.cancel returns None

    def ignore_loop(self, loop: Any) -> None:
        """Leave out a loop that the console made for itself."""
        self._roll.loops.ignore(loop)
