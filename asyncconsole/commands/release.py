"""``release``: gives back a lock for whoever has it."""

from __future__ import annotations

import argparse

from asyncconsole.commands import freed, phrases, resort, select
from asyncconsole.commands.command import Command, Plan
from asyncconsole.commands.deeds import Release
from asyncconsole.commands.port import Target
from asyncconsole.model import (
    ConsoleError,
    Line,
    Resource,
    Result,
    Snapshot,
    UnknownItemError,
    line,
)


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lock", metavar="LOCK", help="id (L3) or name")
    resort.configure(parser)


async def _plan(target: Target, options: argparse.Namespace) -> Plan:
    resort.check("release", options)
    try:
        before = await select.about_resource(target, options.lock)
    except UnknownItemError:
        before = await target.snapshot("known")
    item = select.resource(before, options.lock)
    deed = Release(item.id, _loop(before, item))
    target.rehearse(deed)
    if not item.locked and "emaphore" not in item.type:
        msg = f"release: {item.name} ({item.id}) is {item.state}: there is nothing to release."
        raise ConsoleError(msg)
    who = f"{item.type} {item.name} ({item.id})"
    facts = resort.Facts("release", deed, who, before, (), item.id)
    return await resort.plan(target, facts, _intent(item, who))


def _loop(snapshot: Snapshot, item: Resource) -> int | None:
    """Id of the loop that a primitive belongs to, as far as its tasks tell."""
    numbers = [holder.task for holder in item.holders]
    numbers += [waiter.task for waiter in item.waiters if waiter.task is not None]
    loops = {task.loop for number in numbers if (task := snapshot.task(number)) is not None}
    if item.loop is not None:
        return item.loop
    if not loops:
        loops = {loop.id for loop in snapshot.loops if loop.running}
    return loops.pop() if len(loops) == 1 else None


def _intent(item: Resource, who: str) -> list[Line]:
    """What it frees, and what the holder will not know."""
    permit = "one permit of " if item.permits is not None and item.permits != 1 else ""
    heir = freed.heir(item, ())
    lines = [line(f"Releasing {permit}{who}{heir or ', for which nobody waits'}.")]
    if not item.holders:
        lines.append(line("Nobody is known to hold it."))
    for holder in item.holders[: resort.MOST_NAMES]:
        taken = (
            f", taken at {phrases.base(holder.file)}:{holder.line} {holder.function}"
            if holder.line
            else ""
        )
        verb = "holds" if holder.certain else "probably holds"
        lines.append(line(f"{holder.name} ({holder.task}) {verb} it{taken}."))
    if item.holders:
        lines.append(
            line(
                "A holder goes on as if it still had it: two tasks may be inside at once, and its "
                "own release() then frees the next one's, or raises."
            )
        )
    return lines


async def _run(target: Target, options: argparse.Namespace) -> Result:
    return await resort.run(target, options)


COMMAND = Command(
    name="release",
    summary="Last resort: release a lock, semaphore or condition for its holder.",
    run=_run,
    configure=_configure,
    effect="write",
    plan=_plan,
    deadline=30.0,
    group="act",
    examples=("release L1", "release \"LOCKS['bob']\" --yes"),
)
