"""Every primitive of the living program: asked of a frozen copy, then met in life."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from asyncconsole.capture.slices import drive
from asyncconsole.commands.port import Census
from asyncconsole.model import Snapshot
from asyncconsole.serve import copies

if TYPE_CHECKING:
    from asyncconsole.capture.look import Steps
    from asyncconsole.capture.program import Program

DEADLINE = 30.0
"""Seconds for the copy."""


async def take(
    program: Program, captured: Callable[[Steps], Awaitable[Snapshot]], most_memory: int | None
) -> Census:
    """List every primitive; without a copy, those that modules and tasks lead to.

    Args:
        program: The program.
        captured: Drives a capture.
        most_memory: Bytes above which the program is not copied; None for the default.
    """
    from asyncconsole.capture import frozen, heap, libraries  # noqa: PLC0415 - only when asked for

    libraries.install()  # its readers are to be there in the copy
    tasks = heap.tasks(program.loops)
    told = heap.Told()
    try:
        most = frozen.MOST_MEMORY if most_memory is None else most_memory
        data, _ = await copies.ask(lambda: heap.tell(program.things, program.loops), DEADLINE, most)
        await drive(told.take(data))
        found = await drive(told.find(program.things, tasks))
        how = f"Found among {told.objects:,} objects, in a frozen copy of the program."
    except frozen.NoCopyError as error:
        found = await drive(heap.reachable(tasks))
        how = (
            f"Only those that the program's modules and tasks lead to ({heap.MOST_REACHED:,} "
            f"objects at the most): {error}."
        )
    del tasks
    snapshot = await captured(program.capture(also=found))
    del found
    rest = told.rest(program.things)
    # Futures are no primitives, but are listed where a task waits for one.
    listed = sum(item.type != "Future" for item in snapshot.resources) + len(rest)
    total = max(listed, told.total)
    if rest:
        how += " No path to those with an X was found: their numbers mean nothing later on."
    snapshot = dataclasses.replace(snapshot, resources=(*snapshot.resources, *rest))
    return Census(snapshot, total, how)


def known(program: Program) -> list[tuple[Any, str]]:
    """Primitives that have a number and live."""
    from asyncconsole.capture import heap  # noqa: PLC0415 - as above

    return [(thing, "unnamed") for _, thing in program.things.live() if heap.listed(thing)]
