"""A snapshot as the target of commands that look: they answer as they do on the living program."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable, Collection, Sequence

from asyncconsole.commands.port import Scope
from asyncconsole.model import Snapshot, Stall
from asyncconsole.model.callbacks import Polls
from asyncconsole.model.status import ProbeStatus


class StillTarget:
    """A program as it was; nothing here waits, so a command is through in a single step.

    Args:
        snapshot: All of it, threads too.
        probe: What the stall probe was set to.
        polls: How long the steps of a task took; None where that was not timed.
    """

    read_only = True

    def __init__(
        self, snapshot: Snapshot, probe: ProbeStatus, polls: Callable[[int], Polls | None]
    ) -> None:
        self._snapshot = snapshot
        self._probe = probe
        self.polls = polls

    async def snapshot(
        self,
        scope: Scope = "all",
        *,
        first: int | None = None,
        only: Collection[int] | None = None,
    ) -> Snapshot:
        """The program as it was."""
        if first is None and only is None:
            return self._snapshot
        tasks = [task for task in self._snapshot.tasks if only is None or task.id in only]
        return dataclasses.replace(self._snapshot, tasks=tuple(tasks[:first]))

    async def stream(self, *, first: int | None = None) -> AsyncIterator[Snapshot]:
        """The same, in one piece."""
        yield await self.snapshot("tasks", first=first)

    async def around(
        self,
        tasks: Sequence[str] = (),
        resources: Sequence[str] = (),
        witnesses: Collection[int] = (),
        *,
        deep: bool = False,
    ) -> Snapshot:
        """All of it: nothing that was there is left out."""
        return self._snapshot

    def stalls(self) -> Sequence[Stall]:
        """Stalls that were recorded, oldest first."""
        return self._snapshot.stalls

    def probe(self) -> ProbeStatus:
        """What the stall probe was set to."""
        return self._probe
