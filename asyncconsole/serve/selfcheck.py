"""The periodic self-check: what it finds is logged once, to ``asyncconsole.findings``.

A check reads as much as ``doctor --quick`` does. A frozen copy, for which the program has to
stand still, is never made for its own sake: only when something that only a copy tells more
about has not moved for two checks, once for what is waited for, and ever more rarely while
the copies find nothing.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import Hashable
from typing import TYPE_CHECKING

from asyncconsole.commands import doctor
from asyncconsole.commands.verdict import verdict
from asyncconsole.diagnose import confirm, open_waits
from asyncconsole.model import Diagnosis, Finding, Result, Snapshot, Text
from asyncconsole.render import show
from asyncconsole.serve import extensions
from asyncconsole.serve.journal import log, note
from asyncconsole.serve.patience import within

if TYPE_CHECKING:
    from asyncconsole.commands.port import Target

FINDINGS = logging.getLogger("asyncconsole.findings")

LEVELS = {
    "deadlock": logging.ERROR,
    "stall": logging.WARNING,
    "leak": logging.WARNING,
    "suspect": logging.INFO,
}

LONGEST = 30.0
"""Seconds after which a check is given up."""

SHARE = 0.1
"""Share of its time that the side thread may spend on checks."""

MANY = 20_000
"""Tasks above which a check looks at loops and stalls, and at the tasks only now and then."""

RARELY = 60.0
"""Seconds between two looks at so many tasks; and between two frozen copies."""

RAREST = 3600.0
"""Seconds between two copies after many that found nothing."""

MOST_LINES = 5
"""Findings that one check logs; the next one logs the next ones."""

REMEMBERED = 1_000
"""Findings that are known to have been logged."""


class SelfCheck:
    """Checks a program again and again.

    Args:
        target: The program.
        seconds: Between the starts of two checks.
    """

    def __init__(self, target: Target, seconds: float) -> None:
        self._target = target
        self._seconds = seconds
        self._said: dict[Hashable, None] = {}
        self._total = 0
        self._whole = -RARELY
        self._waits: frozenset[tuple[int, int]] = frozenset()
        self._asked: frozenset[tuple[int, int]] = frozenset()
        self._copied = -RAREST
        self._rest = RARELY
        self._complained = False
        self._reading = 0.0

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            began, before = time.monotonic(), time.thread_time()
            self._reading = 0.0
            try:
                await extensions.catch_up()
                await within(LONGEST, self.check())
            except Exception as error:
                if not self._complained:
                    self._complained = True
                    note(log, logging.ERROR, "a self-check failed; others follow", exc_info=error)
            # Most of a check is waiting; what it costs the program is the reading.
            cost = max(time.thread_time() - before, self._reading)
            left = self._seconds - (time.monotonic() - began)
            await asyncio.sleep(max(left, cost * (1 / SHARE - 1)))

    async def check(self) -> None:
        """One check."""
        now = time.monotonic()
        if self._total > MANY and now - self._whole < RARELY:
            # Loops and their stalls alone.
            snapshot = await self._target.snapshot("loops")
            self._total = snapshot.total
            self._report(snapshot, confirm(snapshot, snapshot, partial=True))
            return
        self._whole = now
        first = await self._target.snapshot("all")
        self._total, self._reading = first.total, first.took
        deep = self._wants_copy(open_waits(first), now)
        snapshot, diagnosis = await verdict(self._target, deep=deep, loops=True, first=first)
        fresh = self._report(snapshot, diagnosis)
        if deep:
            self._rest = RARELY if fresh else min(RAREST, self._rest * 2)

    def _wants_copy(self, waits: frozenset[tuple[int, int]], now: float) -> bool:
        """True when something obscure has not moved since the last check, and is new."""
        unmoved = waits & self._waits
        self._waits = waits
        self._asked &= waits
        if not unmoved - self._asked or now - self._copied < self._rest:
            return False
        self._asked |= unmoved
        self._copied = now
        return True

    def _report(self, snapshot: Snapshot, diagnosis: Diagnosis) -> bool:
        """Log what has not been logged yet; True when there was something."""
        lines = 0
        for finding in diagnosis.findings:
            keys = _keys(finding, snapshot)
            if keys <= self._said.keys() or lines >= MOST_LINES:
                continue
            level = LEVELS[finding.verdict]
            if not FINDINGS.isEnabledFor(level):
                continue
            text = prose(snapshot, finding)
            # A line that could not be sent, as the log is stuck, is tried again next time.
            if note(FINDINGS, level, "%s", text, extra={"finding": finding}):
                lines += 1
                self._said.update(dict.fromkeys(keys))
        while len(self._said) > REMEMBERED:
            del self._said[next(iter(self._said))]
        return lines > 0


def prose(snapshot: Snapshot, finding: Finding) -> str:
    """A whole finding as text."""
    lines = doctor.told(snapshot, dataclasses.replace(finding, id=""))
    return show(Result({}, (Text(tuple(lines)),)), json=False).rstrip("\n")


def _keys(finding: Finding, snapshot: Snapshot) -> set[Hashable]:
    """What makes a finding one that was there before; all of it must have been logged.

    A stall is known by its number, or by its loop when turns of one loop take long for ever.
    Tasks that are stuck are known by what they are suspended on: tasks that have got going
    and are stuck again make a new finding. What was said to be a deadlock is not said again
    as a suspect.
    """
    if finding.kind == "loop_starved":
        loops = {stall.loop for stall in snapshot.stalls if stall.id in finding.stall_ids}
        return {(finding.kind, *sorted(loops))}
    if finding.verdict == "stall" and finding.stall_ids:
        return {("stall", number) for number in finding.stall_ids}
    tokens = {task.id: task.wait.token for task in snapshot.tasks if task.wait is not None}
    stuck = {(number, tokens.get(number, 0)) for number in finding.ids("stuck")}
    parts: set[Hashable] = {("stuck", *pair) for pair in stuck}
    if not parts or finding.verdict == "leak":
        parts = {("role", role.id, role.role) for role in finding.tasks}
        parts |= {("thread", ref.id, ref.token) for ref in finding.threads}
        parts |= {("resource", item.id) for item in finding.resources}
        parts = {(finding.kind, part) for part in parts} or {finding.kind}
    return {(word, part) for word in _at_least(finding.verdict) for part in parts}


def _at_least(verdict: str) -> tuple[str, ...]:
    """The verdicts that are no worse than that: to have said it is to have said those."""
    return ("deadlock", "suspect") if verdict == "deadlock" else (verdict,)
