"""asyncio's debug mode of the program's loops, for as long as the console is there."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any

from asyncconsole.act.debug import Switch, mode
from asyncconsole.act.errand import POLL
from asyncconsole.model.errors import UnknownItemError
from asyncconsole.model.status import DebugStatus
from asyncconsole.serve.journal import log, note
from asyncconsole.serve.recovery import Hands

PATIENCE = 0.3
"""Seconds in which a loop may get to it."""


class Debugging:
    """What was changed, and how to put it back. Belongs to the side loop's thread.

    Args:
        hands: The program.
    """

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._switches: list[Switch] = []

    async def change(
        self, on: bool | None, slow: float | None, loop: int | None
    ) -> Sequence[DebugStatus]:
        """See `asyncconsole.commands.port.Target.debug`.

        Raises:
            UnknownItemError: There is no such loop.
        """
        self._switches = [switch for switch in self._switches if not switch.gone]
        facts = [fact for fact in self._hands.roll.loops.find() if not fact.closed]
        if loop is not None:
            facts = [fact for fact in facts if fact.number == loop]
            if not facts:
                msg = f"No loop {loop}. `loops` lists them."
                raise UnknownItemError(msg)
        befores = [mode(found) if (found := fact.reference()) else None for fact in facts]
        troubles = [self._set(fact.reference(), on, slow) for fact in facts]
        await self._settle()
        told = []
        for fact, before, trouble in zip(facts, befores, troubles, strict=True):
            found = fact.reference()
            if found is None or before is None:
                continue
            switch = self._switch(found)
            pending = switch is not None and switch.pending
            now = mode(found)
            why = trouble or (self._hands.why_blocked(found) if pending else "")
            told.append(DebugStatus(fact.number, fact.type, *now, *before, pending, why))
            del found
        return told

    def put_back(self) -> None:
        """Undo it all."""
        switches, self._switches = self._switches, []
        for switch in switches:
            try:
                switch.put_back()
            except Exception as error:
                note(log, logging.ERROR, "a loop's debug mode stays as it is", exc_info=error)

    def _set(self, loop: Any, on: bool | None, slow: float | None) -> str:
        """Change one loop; why that did not work, or ""."""
        if loop is None or (on is None and slow is None):
            return ""
        switch = self._switch(loop)
        if switch is None:
            switch = Switch(loop)
            self._switches.append(switch)
        try:
            switch.change(debug=on, slow=slow)
        except Exception as error:  # a loop of the program's own making
            return f"it does not take that: {type(error).__name__}: {error}"[:200]
        return ""

    def _switch(self, loop: Any) -> Switch | None:
        return next((switch for switch in self._switches if switch.of(loop)), None)

    async def _settle(self) -> None:
        """Let the loops get to it."""
        end = time.monotonic() + PATIENCE
        while any(switch.pending for switch in self._switches) and time.monotonic() < end:  # noqa: ASYNC110 - other threads decide
            await asyncio.sleep(POLL)
