"""``where``: a task's whole await stack, what it holds at which frame, who awaits it."""

from __future__ import annotations

import argparse

from asyncconsole.commands import links, phrases, select, slow
from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.model import Frame, Line, Result, Snapshot, Span, Task, Text, line

MOST_ALIKE = 8
"""Frames alike, one inside the other, of which all are shown."""

KEPT = 4
"""Frames that are shown of more."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task", metavar="TASK", help="number, name or id(task)")
    parser.add_argument("--all", action="store_true", help="also frames of libraries")


async def _run(target: Target, options: argparse.Namespace) -> Result:
    snapshot = await select.about(target, (options.task,))
    task = select.task(snapshot, options.task)
    texts = {(file, number): text for file, number, text in snapshot.sources}
    document = {
        "schema": "asyncconsole/where/1",
        "task": phrases.task_document(task),
        "stack": [
            {
                "file": frame.file,
                "line": frame.line,
                "function": frame.function,
                "own": frame.own,
                "kind": frame.kind,
                "source": texts.get((frame.file, frame.line)),
                "holds": [hold.resource for hold in task.holds if hold.frame == index],
            }
            for index, frame in enumerate(task.frames)
        ],
        "holds": [
            {
                "resource": hold.resource,
                "name": _lock_name(snapshot, hold.resource),
                "file": hold.file,
                "line": hold.line,
                "function": hold.function,
                "since": hold.since,
                "how": hold.how,
                "certain": hold.certain,
            }
            for hold in task.holds
        ],
        "created_by": task.creator,
        "creation": [phrases.frame_document(frame) for frame in task.creation],
        "awaited_by": list(task.awaited_by),
        "waited_for_by_threads": [links.thread_document(snapshot, i) for i in task.threads],
        "job": links.job_document(snapshot, task),
        "through": links.through_document(snapshot, task),
        "deadline": None if task.deadline is None else round(task.deadline, 3),
        "cancelling": task.cancelling,
        "gap": task.gap,
        "polls": slow.polls_document(target.polls(task.id)),
    }
    lines = [_headline(snapshot, task), *_awaiters(snapshot, task)]
    lines += links.threads(snapshot, task)
    lines += stack(snapshot, task, everything=options.all)
    folded = sum(not frame.own for frame in task.frames)
    if folded and not options.all and any(frame.own for frame in task.frames):
        count = phrases.plural(folded, "frame")
        note = f"  ({count} of libraries folded; `where {task.id} --all` shows them)"
        lines.append(line((note, "dim")))
    lines += _elsewhere(snapshot, task)
    lines += links.further(snapshot, task)
    for next_ in links.through(snapshot, task):
        lines += [_headline(snapshot, next_), *stack(snapshot, next_, everything=options.all)]
    lines += slow.polls(target, task)
    if task.created is not None:
        other = snapshot.task(task.creator) if task.creator is not None else None
        by = f"{other.name} ({other.id})" if other is not None else ""
        lines += phrases.creation(task.created, by, task.creation)
    if task.gap:
        lines.append(line((f"  {task.gap}", "warn")))
    return Result(document, (Text(tuple(lines)),))


def _lock_name(snapshot: Snapshot, number: str) -> str:
    item = snapshot.resource(number)
    return item.name if item is not None else ""


def _elsewhere(snapshot: Snapshot, task: Task) -> list[Line]:
    """What it holds that was taken by a function which has returned."""
    lines = []
    for hold in task.holds:
        if hold.frame < 0:
            name = _lock_name(snapshot, hold.resource)
            word = "holds" if hold.certain else "probably holds"
            what = Span(f"  {word} {hold.resource} {name}", "warn")
            if not hold.line:  # only the primitive itself knows who has it
                lines.append(line(what, ", taken by acquire()"))
                continue
            spot = phrases.spot(Frame(hold.file, hold.line, hold.function))
            lasting = phrases.age(hold.since, exact=hold.exact)
            held = f", for {lasting}" if lasting else ""
            lines.append(line(what, ", taken at ", *spot, held))
    return lines


def _headline(snapshot: Snapshot, task: Task) -> Line:
    pieces: list[str | tuple[str, phrases.Style]] = [(task.name, "name"), f" ({task.id})  "]
    if task.wait is None:
        pieces.append(task.state)
    else:
        word = "sleeps on" if task.state == "sleeping" else "waiting for"
        pieces.append(f"{word} {phrases.waiting(task.wait)}")
        item = snapshot.resource(task.wait.resource) if task.wait.resource else None
        if item is not None and item.holders:
            names = ", ".join(
                f"{'' if h.certain else 'probably '}{h.name} ({h.task})" for h in item.holders[:3]
            )
            pieces.append(f", held by {names}")
        pieces.append(f", {phrases.since(task.wait)}")
    if task.cancelling:
        pieces.append((f", asked to cancel {task.cancelling} times", "warn"))
    return line(*pieces)


def _awaiters(snapshot: Snapshot, task: Task) -> list[Line]:
    found = []
    for number in task.awaited_by[:10]:
        other = snapshot.task(number)
        if other is not None:
            through = (
                f" through {other.wait.kind}" if other.wait and other.wait.kind != "task" else ""
            )
            found.append(line(f"  awaited by {other.name} ({other.id}){through}"))
    if len(task.awaited_by) > len(found):
        found.append(line(f"  and by {len(task.awaited_by) - len(found)} more"))
    return found


def stack(snapshot: Snapshot, task: Task, *, everything: bool) -> list[Line]:
    """The frames of a task, outermost first, with what each one holds."""
    texts = {(file, number): text for file, number, text in snapshot.sources}
    own = [frame for frame in task.frames if frame.own]
    shown = set(range(len(task.frames)))
    if own and not everything:
        shown = {index for index, frame in enumerate(task.frames) if frame.own}
    last = max(shown, default=-1)
    spots = {i: "".join(s.text for s in phrases.spot(task.frames[i])) for i in shown}
    width = max((len(spot) for spot in spots.values()), default=0)
    lines: list[Line] = []
    repeated = {} if everything else _repeated(task, shown)
    skipped = 0
    depth = 0
    for index, frame in enumerate(task.frames):
        held = [hold for hold in task.holds if hold.frame == index]
        if index not in shown and not held:
            continue
        if skipped:
            skipped -= 1
            continue
        if index in repeated:
            skipped = repeated[index] - 1
            note = f"… the same {phrases.plural(repeated[index], 'time')} more"
            lines.append(line((f"  {note}; `where {task.id} --all` shows them", "dim")))
            continue
        holding: list[tuple[Frame, list[str]]] = []
        for hold in held:
            taken = Frame(hold.file, hold.line, hold.function, frame.own)
            word = "holds" if hold.certain else "probably holds"
            note = f"{word} {hold.resource} {_lock_name(snapshot, hold.resource)}"
            if holding and holding[-1][0] == taken:
                holding[-1][1].append(note)
            else:
                holding.append((taken, [note]))
        for taken, notes in holding:
            here = taken.line == frame.line
            mark = f"   ← {'; '.join(notes)}"
            if here and index == last and task.wait is not None:
                mark += "; waits here"
            lines.append(_frame(taken, texts, width, depth, mark, everything or frame.own))
            if here:
                break
            depth += 1
        else:
            mark = "   ← waits here" if index == last and task.wait is not None else ""
            if index == last and task.state == "running":
                mark = "   ← runs here"
            lines.append(_frame(frame, texts, width, depth, mark, everything or frame.own))
        depth += 1
    return lines


def _repeated(task: Task, shown: set[int]) -> dict[int, int]:
    """Frames of a recursion that say nothing new.

    Returns:
        Index of the first one left out of each run, and how many are.
    """
    held = {hold.frame for hold in task.holds}
    found: dict[int, int] = {}
    run: list[int] = []
    for index in (*sorted(shown), -1):
        if run and index >= 0 and index not in held and task.frames[index] == task.frames[run[0]]:
            run.append(index)
            continue
        if len(run) > MOST_ALIKE:
            found[run[KEPT - 1]] = len(run) - KEPT
        run = [index] if index >= 0 and index not in held else []
    return found


def _frame(
    frame: Frame, texts: dict[tuple[str, int], str], width: int, depth: int, mark: str, bright: bool
) -> Line:
    spot = "".join(span.text for span in phrases.spot(frame))
    source = texts.get((frame.file, frame.line), "")
    return line(
        "  ",
        (spot.ljust(width), "own" if bright else "library"),
        f"  {'  ' * min(depth, 20)}{source}",
        (mark, "warn"),
    )


COMMAND = Command(
    name="where",
    aliases=("w",),
    summary="Show a task's await stack, what it holds at which frame, who awaits it.",
    run=_run,
    configure=_configure,
    deadline=30.0,
    examples=("where 2", "where transfer:a→b --all"),
)
