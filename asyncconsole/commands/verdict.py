"""Two looks at a program, and a frozen copy of it between them, become one diagnosis."""

from __future__ import annotations

import dataclasses

from asyncconsole.commands.port import Recorded, Target
from asyncconsole.diagnose import again, confirm, look, obscure
from asyncconsole.model import Diagnosis, Gap, Snapshot
from asyncconsole.model.autopsy import Autopsy
from asyncconsole.model.busy import Busy
from asyncconsole.model.ended import joined

LEAST = 10
"""Looks at a busy loop from which something can be said of it."""

MOST_OBSCURE = 2_000
"""Waits that a copy is asked about where nobody asked for a thorough look."""

MOST_TASKS = 3_000
"""Tasks of a program of which a copy is made there: with many it takes seconds to read."""

MOST_THOROUGH = 20_000
"""Waits that it is asked about in a thorough look."""


async def verdict(
    target: Target,
    *,
    deep: bool = True,
    thorough: bool = False,
    loops: bool = False,
    first: Snapshot | None = None,
) -> tuple[Snapshot, Diagnosis]:
    """Two captures with a pause between them, and what they prove.

    The second reads only the tasks that could be part of a finding.

    Args:
        target: The program.
        deep: Ask a frozen copy as well where the first look leaves something open.
        thorough: Even where that takes some seconds.
        loops: Look closely at what busy loops run.
        first: The first look, if it has just been taken.

    Returns:
        The program, and the verdict; of a program as it was, the one of that time.
    """
    if isinstance(target, Recorded):
        return target.judgement()
    first = first or await target.snapshot("all")
    count = obscure(first) if deep else 0
    most = MOST_THOROUGH if thorough else MOST_OBSCURE
    if count > most or (count and not thorough and first.total > MOST_TASKS):
        why = f"{count:,} tasks wait for something that anybody may give; `doctor` looks deeper"
        first = dataclasses.replace(first, gaps=(*first.gaps, Gap("what can wake the tasks", why)))
    elif count:
        first = _with(first, await target.autopsy())
    if loops:
        busy = await target.busy()
        unseen = tuple(
            Gap(f"loop {one.loop}", "it uses a CPU, and this kind of loop shows not what it runs")
            for one in busy
            if not one.queue and one.looks < LEAST
        )
        first = dataclasses.replace(first, busy=busy, gaps=(*first.gaps, *unseen))
    seen = look(first)
    wanted = again(seen)
    if wanted is not None and not wanted:
        if not (first.stalls or first.busy or first.inversions):
            return first, Diagnosis(first.pid, first.taken_at)
        second = dataclasses.replace(first, busy=await _still_busy(target, first))
        return second, confirm(seen, second, partial=True)
    if first.autopsy is None:
        await target.settle()
    second = await target.snapshot("all", only=wanted)
    second = dataclasses.replace(
        second,
        stalls=tuple(target.stalls()),
        inversions=first.inversions,
        busy=await _still_busy(target, first),
        gaps=tuple(dict.fromkeys((*first.gaps, *second.gaps))),
    )
    if first.autopsy is not None:
        second = _with(second, first.autopsy)
    return second, confirm(seen, second, partial=wanted is not None)


async def _still_busy(target: Target, first: Snapshot) -> tuple[Busy, ...]:
    """What loops run that are still busy with the same."""
    if not first.busy:
        return ()
    before = {(one.loop, one.file, one.line) for one in first.busy}
    return tuple(one for one in await target.busy() if (one.loop, one.file, one.line) in before)


def _with(snapshot: Snapshot, autopsy: Autopsy) -> Snapshot:
    """A snapshot with what a frozen copy told."""
    ended = joined((snapshot.ended, autopsy.ended))
    return dataclasses.replace(snapshot, autopsy=autopsy, ended=tuple(ended))


def document(snapshot: Snapshot, diagnosis: Diagnosis) -> dict[str, object]:
    """The document of the contract: ``asyncconsole/diagnosis/1``."""
    made = dataclasses.asdict(diagnosis)
    copy = snapshot.autopsy
    return {
        "schema": made.pop("schema"),
        **made,
        "gaps": [dataclasses.asdict(gap) for gap in unread(snapshot)],
        "copy": None if copy is None else {"pause": copy.pause, "took": copy.took},
    }


def unread(snapshot: Snapshot) -> tuple[Gap, ...]:
    """What could not be read, of the program and of the copy of it."""
    copy = snapshot.autopsy
    return snapshot.gaps if copy is None else (*snapshot.gaps, *copy.gaps)
