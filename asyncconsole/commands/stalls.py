"""``stalls``: times in which a loop ran no callbacks, and who kept it."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from functools import partial

from asyncconsole.commands import flame, phrases, slow
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.model import Column, Flow, Line, Part, Result, Stall, Table, Text, line
from asyncconsole.model.stall import COLLECTION

PART = 8
"""Stalls that are written in one go."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("count", nargs="?", type=int, metavar="N", help="only the last N")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--top",
        action="store_true",
        help="instead: the slowest callbacks, by place (N of them); see `probe on --polls`",
    )
    how.add_argument(
        "--folded", action="store_true", help="their stacks, one a line, with milliseconds"
    )
    how.add_argument("--svg", action="store_true", help="a flame graph; store it in a file")


async def _run(target: Target, options: argparse.Namespace) -> Result:
    if options.top:
        return slow.top(target, options.count)
    stalls = list(target.stalls())
    if options.count is not None:
        stalls = stalls[-options.count :] if options.count > 0 else []
    if options.json:
        return Result({}, flow=_flow(stalls))
    if options.folded or options.svg:
        lines = flame.svg(stalls) if options.svg else flame.folded(stalls)
        return Result({}, (Text(tuple(line(text) for text in lines)),))
    if not stalls:
        return Result({}, (Text((_none(target),)),))
    notes: list[Line] = []
    for stall in stalls:
        if stall.ongoing:
            notes += _story(stall)
    return Result({}, (_table(stalls), Text(tuple(notes))))


def _flow(stalls: list[Stall]) -> Flow:
    """The document, a few stalls at a time: with all stacks of all of them it is long."""

    async def parts() -> AsyncIterator[Part]:
        for start in range(0, len(stalls), PART):
            yield Part(partial(_documents, stalls[start : start + PART]), lambda: _table([]))

    head: dict[str, object] = {"schema": "asyncconsole/stalls/1"}
    return Flow("stalls", parts(), lambda: head, ("schema",), lambda: ())


def _documents(stalls: list[Stall]) -> list[dict[str, object]]:
    return [stall.document() for stall in stalls]


def _none(target: Target) -> Line:
    status = target.probe()
    if not status.on:
        return line(("The stall probe is off; `probe on` turns it on.", "warn"))
    more = " `stalls --top` has what was slow." if status.polls else ""
    return line(f"No loop was blocked for longer than {status.threshold:g} s.{more}")


def _table(stalls: list[Stall]) -> Table:
    columns = (
        Column("#", "right"),
        Column("LOOP", "right"),
        Column("SINCE"),
        Column("FOR", "right"),
        Column("KIND"),
        Column("TASK", least=10),
        Column("CULPRIT", least=20),
    )
    rows = []
    for stall in stalls:
        more = " …" if stall.ongoing else ""
        task = f"{stall.task_name} ({stall.task})" if stall.task is not None else "(a callback)"
        if stall.call == COLLECTION:
            task = "(nobody)"
        rows.append(
            (
                (line((str(stall.id), "id")),),
                (line(str(stall.loop)),),
                (line(stall.started_at[11:19]),),
                (line((f"{stall.duration:.1f} s{more}", "bad" if stall.ongoing else "")),),
                (line(stall.kind.replace("_", " ")),),
                (line((task, "name")),),
                (line(stall.culprit),),
            )
        )
    return Table(columns, tuple(rows))


def _story(stall: Stall) -> list[Line]:
    """What is known of a stall that goes on, and what to do about it."""
    facts = []
    if stall.late is not None:
        facts.append(
            f"{phrases.plural(stall.late, 'callback')} {'waits' if stall.late == 1 else 'wait'}"
        )
    if stall.cpu is not None:
        facts.append(f"the thread is at {stall.cpu * 100:.0f} % CPU")
    facts.append(f"seen in {phrases.plural(stall.samples, 'sample')}")
    lines = [line((f"   loop {stall.loop} is blocked: ", "bad"), "; ".join(facts))]
    if stall.frame is not None:
        advice = {
            "blocking_call": "move the blocking call off the loop: await asyncio.to_thread(...)",
            "cpu_bound": "move the work to a process pool, or split it with await asyncio.sleep(0)",
        }.get(stall.kind)
        if advice:
            lines.append(line(f"   Fix: {advice}."))
    return lines


COMMAND = Command(
    name="stalls",
    summary="List stalls of the loops: when, how long, culprit task and line.",
    run=_run,
    configure=_configure,
    examples=("stalls", "stalls 5", "stalls --top", "stalls --svg"),
)
