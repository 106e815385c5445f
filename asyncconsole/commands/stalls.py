"""``stalls``: times in which a loop ran no callbacks, and who kept it."""

from __future__ import annotations

import argparse
import dataclasses

from asyncconsole.commands import phrases, slow
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.model import Column, Line, Result, Stall, Table, Text, line


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("count", nargs="?", type=int, metavar="N", help="only the last N")
    parser.add_argument(
        "--top",
        action="store_true",
        help="instead: the slowest callbacks, by place (N of them); see `probe on --polls`",
    )


async def _run(target: Target, options: argparse.Namespace) -> Result:
    if options.top:
        return slow.top(target, options.count)
    stalls = list(target.stalls())
    if options.count is not None:
        stalls = stalls[-options.count :] if options.count > 0 else []
    document = {
        "schema": "asyncconsole/stalls/1",
        "stalls": [stall_document(stall) for stall in stalls],
    }
    if not stalls:
        return Result(document, (Text((_none(target),)),))
    notes: list[Line] = []
    for stall in stalls:
        if stall.ongoing:
            notes += _story(stall)
    return Result(document, (_table(stalls), Text(tuple(notes))))


def _none(target: Target) -> Line:
    status = target.probe()
    if not status.on:
        return line(("The stall probe is off; `probe on` turns it on.", "warn"))
    return line(f"No loop was blocked for longer than {status.threshold:g} s.")


def stall_document(stall: Stall) -> dict[str, object]:
    """A stall as ``--json`` shows it."""
    return {
        "id": stall.id,
        "loop": stall.loop,
        "started_at": stall.started_at,
        "duration": round(stall.duration, 3),
        "ongoing": stall.ongoing,
        "kind": stall.kind,
        "task": stall.task,
        "task_name": stall.task_name,
        "frame": phrases.frame_document(stall.frame),
        "call": stall.call,
        "samples": stall.samples,
        "cpu": stall.cpu,
        "late": stall.late,
        "stack": [dataclasses.asdict(frame) for frame in stall.stack],
    }


def culprit(stall: Stall) -> str:
    """``ledger.py:88 read_ledger → time.sleep``."""
    frame = stall.frame
    if frame is None:
        return "?"
    call = f" → {stall.call}" if stall.call else ""
    return f"{phrases.base(frame.file)}:{frame.line} {frame.function}{call}"


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
        rows.append(
            (
                (line((str(stall.id), "id")),),
                (line(str(stall.loop)),),
                (line(stall.started_at[11:19]),),
                (line((f"{stall.duration:.1f} s{more}", "bad" if stall.ongoing else "")),),
                (line(stall.kind.replace("_", " ")),),
                (line((task, "name")),),
                (line(culprit(stall)),),
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
    examples=("stalls", "stalls 5", "stalls --top"),
)
