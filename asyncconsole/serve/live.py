"""The living program as a target of commands. Runs on the console's side loop."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from asyncconsole.capture import quiet, roll
from asyncconsole.capture.growth import Growth
from asyncconsole.capture.running import has_gil
from asyncconsole.capture.slices import drive
from asyncconsole.model.errors import UnknownItemError
from asyncconsole.model.status import DebugStatus, ProbeStatus, TrackStatus
from asyncconsole.serve.freeing import Freeing
from asyncconsole.serve.past import Past
from asyncconsole.stall import Probe

if TYPE_CHECKING:
    from asyncconsole.capture.look import Steps
    from asyncconsole.capture.program import Program
    from asyncconsole.commands.deeds import CancelOutcome, Deed, DeedOutcome
    from asyncconsole.commands.port import Census, Reaction, Scope
    from asyncconsole.model import Snapshot, Stall
    from asyncconsole.model.autopsy import Autopsy
    from asyncconsole.model.busy import Busy
    from asyncconsole.model.callbacks import Polls, SlowAccount
    from asyncconsole.model.ended import Ended
    from asyncconsole.serve.debugging import Debugging
    from asyncconsole.serve.recovery import Hands
    from asyncconsole.serve.sinks import Sinks
    from asyncconsole.serve.timing import Timing
    from asyncconsole.track.tracker import Tracker

# What only commands need is imported where it is used: `loading.prepare` has loaded it then.
# ruff: noqa: PLC0415

PULSE = 0.25
"""Seconds between two beats of our own while the probe, which else gives them, is off."""


class LiveTarget:
    """Reads, and on request changes, the process it lives in.

    Args:
        loop: The console's side loop.
        locals: Names for the REPL.
        read_only: True when nothing may be changed.
        stall_threshold: Seconds; None for the default, 0 for no probe.
        track_tasks: Record new tasks and ended ones; a number of frames, or True.
        track_locks: Record owners of locks.
        watch: Seconds between two checks of the program by itself; None for none.
        polls: Time every callback.
        sinks: Who is told of stalls.
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
        watch: float | None = None,
        polls: bool = False,
        sinks: Sinks | None = None,
    ) -> None:
        self.read_only = read_only
        self._locals = dict(locals or {})
        self._roll = roll.shared()
        self._roll.loops.ignore(loop)
        self._probe = Probe(
            loop, self._roll.loops, self._roll.number, stall_threshold, self._observe
        )
        self.watcher = self._probe  # of the side thread
        if sinks is not None:
            sinks.attach(self._probe, loop, self)
        self._loop = loop
        self._pulse: asyncio.TimerHandle | None = None
        self._past = Past(self._roll)
        self._growth = Growth(self._roll.loops)
        self._tracked = track_tasks, track_locks
        self._timed = polls
        self._timing: Timing | None = None
        self._watch = watch
        self._watching: asyncio.Task[None] | None = None
        self._tracker: Tracker | None = None
        self._debugging: Debugging | None = None
        self._freeing = Freeing()

    def start(self) -> None:
        """Begin to watch the loops. Must run on the side thread."""
        self._probe.start()
        self._set_pulse()
        self._past.start(self._loop)
        tasks, locks = self._tracked
        if tasks or locks:
            self._configure(tasks, locks)
        if self._timed:
            self.probe(polls=True)
        if self._watch is not None:
            from asyncconsole.serve.watching import keep

            self._watching = asyncio.ensure_future(keep(self, self._watch))

    def close(self) -> None:
        """Stop watching; may be called again."""
        self._probe.stop()
        self._past.close()
        if self._timing is not None:
            self._timing.close()
        if self._watching is not None:
            self._watching.cancel()
        self._freeing.close()
        if self._pulse is not None:
            self._pulse.cancel()
            self._pulse = None
        if self._tracker is not None:
            self._tracker.close()
            self._tracker = None
        if self._debugging is not None:
            self._debugging.put_back()

    def _set_pulse(self) -> None:
        """Beat while the probe does not."""
        if self._pulse is not None:
            self._pulse.cancel()
            self._pulse = None
        if not self._probe.status().on:
            self._pulse = self._loop.call_later(PULSE, self._beat)

    def _beat(self) -> None:
        self._set_pulse()
        self._observe()

    def _observe(self) -> None:
        """With each beat: note how many tasks there are and what they wait on."""
        quiet.check()
        self._growth.note()
        if self._tracker is not None:
            self._tracker.beat()
        if self._past.look() and self._tracker is not None:
            self._tracker.note_loops()

    @property
    def _program(self) -> Program:
        """Reads the program."""
        from asyncconsole.capture.program import shared

        return shared()

    async def snapshot(
        self,
        scope: Scope = "all",
        *,
        first: int | None = None,
        only: Collection[int] | None = None,
    ) -> Snapshot:
        """The program now, read from the side thread in slices."""
        from asyncconsole.capture import hop
        from asyncconsole.serve import census

        full = scope in {"all", "known"}
        threads = (full or scope == "threads") and only is None
        found = await self._driven(
            hop.capture(
                self._program,
                holds=full,
                resources=full,
                tasks=scope not in {"loops", "threads"},
                threads=threads and not has_gil(),
                first=first,
                only=only,
                also=census.known(self._program) if scope == "known" else (),
            )
        )
        if threads and has_gil():  # not on a loop: it would see itself
            found = self._program.dress(found)
        if full:
            found = dataclasses.replace(found, ended=tuple(self._past.ended(self.ended())))
        if scope == "tasks" or only is not None:  # nobody asks how late the loops are
            return found
        if full and self._tracker is not None:
            orders = await drive(self._tracker.inversions())
            found = dataclasses.replace(found, inversions=orders)
        return await self._with_lags(found)

    async def census(self, most_memory: int | None = None) -> Census:
        """The program now, with every primitive of its heap."""
        from asyncconsole.commands.port import Census
        from asyncconsole.serve import census

        if not has_gil():
            why = "Only those that tasks wait for or hold: without the GIL no heap can be read."
            only = await self.snapshot("all")
            return Census(only, len(only.resources), why)
        found = await census.take(self._program, self._driven, most_memory)
        return dataclasses.replace(found, snapshot=await self._with_lags(found.snapshot))

    async def autopsy(self) -> Autopsy:
        """What a frozen copy of the program tells."""
        from asyncconsole.serve import autopsy

        return await autopsy.take(self._program)

    async def busy(self) -> tuple[Busy, ...]:
        """What loops that don't wait for events run."""
        from asyncconsole.stall import busy

        blocked = {stall.loop for stall in self._probe.stalls() if stall.ongoing}
        return await busy.sample(self._roll.loops, blocked)

    async def _with_lags(self, found: Snapshot) -> Snapshot:
        """A snapshot with what the probe knows."""
        from asyncconsole.serve import lags

        loops = await lags.measured(found.loops, self._roll.loops, self._probe)
        return dataclasses.replace(
            found, loops=loops, stalls=self._probe.stalls(), growth=self._growth.counts()
        )

    async def stream(self, *, first: int | None = None) -> AsyncIterator[Snapshot]:
        """The tasks in pieces, read as they are asked for; without the GIL in one."""
        from asyncconsole.serve import turns

        if not has_gil():
            yield await self.snapshot("tasks", first=first)
            return
        loop = await turns.busy(self._program.loops)
        driven = turns.Turns(self._program.stream(first=first), loop).all()
        async with aclosing(driven):
            async for found in driven:
                yield found

    async def around(
        self,
        tasks: Sequence[str] = (),
        resources: Sequence[str] = (),
        witnesses: Collection[int] = (),
        *,
        deep: bool = False,
    ) -> Snapshot:
        """As much as is needed to tell about a few tasks or primitives."""
        if not has_gil():
            return await self.snapshot("all")
        return await self._driven(self._program.around(tasks, resources, witnesses, deep=deep))

    async def _driven(self, steps: Steps) -> Snapshot:
        """Drive a capture to its end; others have their turn between slices."""
        from asyncconsole.serve import turns

        with quiet.quiet():
            driven = turns.Turns(steps, await turns.busy(self._program.loops))
            async with aclosing(driven.all()) as marks:
                async for _ in marks:
                    pass  # a capture gives nothing on its way
            found: Snapshot = driven.value
            self._freeing.keep(found)
            return found

    async def settle(self) -> None:
        """Let a moment pass between two captures."""
        from asyncconsole.serve.look import SETTLE

        await asyncio.sleep(SETTLE)

    async def cancel(
        self, tasks: Sequence[int], wait: float, witnesses: Sequence[int] = ()
    ) -> tuple[Sequence[CancelOutcome], Mapping[int, str]]:
        """Ask tasks to cancel and watch what happens."""
        from asyncconsole.serve.recovery import cancel

        noted = self._tracker.note_cancel if self._tracker is not None else None
        return await cancel(self._hands(), tasks, wait, witnesses, noted)

    def rehearse(self, deed: Deed) -> None:
        """Find out whether a last resort can be tried at all."""
        from asyncconsole.serve.recovery import prepare

        prepare(self._hands(), self._program.things, deed)

    async def recover(
        self, deed: Deed, wait: float, witnesses: Sequence[int] = ()
    ) -> tuple[DeedOutcome, Mapping[int, str]]:
        """Do one of the last resorts and watch what comes of it."""
        from asyncconsole.serve.recovery import recover

        return await recover(self._hands(), self._program.things, deed, wait, witnesses)

    def _hands(self) -> Hands:
        """What acting on the program needs."""
        from asyncconsole.serve.recovery import Hands

        return Hands(self._roll, self._probe.stalls)

    def stalls(self) -> Sequence[Stall]:
        """Recorded stalls, oldest first."""
        return self._probe.stalls()

    def probe(
        self,
        *,
        on: bool | None = None,
        threshold: float | None = None,
        polls: bool | None = None,
        slow: float | None = None,
    ) -> ProbeStatus:
        """Change and tell the stall probe's settings; off means that nothing is timed either."""
        status = self._probe.configure(on=on, threshold=threshold)
        if on is not None or threshold is not None:
            self._set_pulse()
        if self._timing is None:
            if not polls or not status.on:
                return status
            from asyncconsole.serve.timing import Timing

            self._timing = Timing(self._loop, self._roll)
        self._timing.configure(polls if status.on else False, slow)
        return self._timing.status(status)

    def slow_callbacks(self) -> SlowAccount:
        """What callbacks were slow while they were timed."""
        if self._timing is None:
            from asyncconsole.model.callbacks import SlowAccount

            return SlowAccount(on=False, slow=self._probe.status().slow)
        return self._timing.hook.told()

    def polls(self, task: int) -> Polls | None:
        """How long the steps of a task take."""
        return self._timing.polls(task) if self._timing is not None else None

    def track(self, *, tasks: bool | int | None = None, locks: bool | None = None) -> TrackStatus:
        """Change and tell what is tracked."""
        if self._tracker is None and not tasks and not locks:
            return TrackStatus(tasks=False, frames=0, locks=False, ended=0, dropped=0)
        return self._configure(tasks, locks)

    async def debug(
        self, *, on: bool | None = None, slow: float | None = None, loop: int | None = None
    ) -> Sequence[DebugStatus]:
        """Change and tell asyncio's debug mode of loops."""
        from asyncconsole.serve.debugging import Debugging

        if self._debugging is None:
            self._debugging = Debugging(self._hands())
        return await self._debugging.change(on, slow, loop)

    def _configure(self, tasks: bool | int | None, locks: bool | None) -> TrackStatus:
        """Change the settings of tracking, which loads when it is first wanted."""
        if self._tracker is None:
            from asyncconsole.track.tracker import tracker

            self._tracker = tracker()
        return self._tracker.configure(tasks=tasks, locks=locks)

    def ended(self) -> Sequence[Ended]:
        """Tasks that ended while tasks were tracked, oldest first."""
        return self._tracker.ended() if self._tracker is not None else ()

    def namespace(self) -> dict[str, Any]:
        """Names for a new REPL session."""
        from asyncconsole.serve.namespace import names

        return names(self._locals)

    def submit(self, loop: int, function: Callable[[], Any]) -> Callable[[], None]:
        """Run ``function()`` on a loop soon."""
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

    def reaction(self, signal: int) -> Reaction:
        """What the program does at a signal."""
        from asyncconsole.serve.signalling import reaction

        return reaction(signal)

    def send_signal(self, signal: int, *, soon: bool) -> int:
        """Send the process a signal."""
        from asyncconsole.serve.signalling import send

        return send(signal, self._loop, soon=soon)
