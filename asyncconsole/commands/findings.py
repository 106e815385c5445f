"""Findings in prose."""

from __future__ import annotations

from asyncconsole.commands import phrases
from asyncconsole.diagnose import phrases as words
from asyncconsole.model import Finding, Line, Snapshot, Task, line


def title(text: str, style: phrases.Style) -> list[Line]:
    """A heading with a line under it."""
    return [line((text, style)), line(("=", "rule"))]


def headline(finding: Finding) -> str:
    """The summary, and how many wait behind."""
    victims = len(finding.ids("victim"))
    if not victims or finding.verdict == "stall":  # its summary tells who waits
        return f"{finding.summary}."
    verb = "waits" if victims == 1 else "wait"
    return f"{finding.summary}; {phrases.plural(victims, 'task')} {verb} behind them."


def finding_lines(snapshot: Snapshot, finding: Finding) -> list[Line]:
    """What stands under the headline of a finding."""
    lines: list[Line] = []
    cycle = [snapshot.task(number) for number in finding.cycle_ids]
    for index, task in enumerate(cycle):
        following = cycle[(index + 1) % len(cycle)]
        if task is not None and following is not None:
            lines += _member(snapshot, finding, task, following)
    if not cycle:
        lines += [line(f"    {text}") for text in finding.evidence]
    if finding.verdict == "stall":
        lines += _starving(finding)
        return [*lines, *_judged(finding, len(cycle))]
    others = (
        [number for number in finding.ids("stuck") if number not in finding.cycle_ids]
        if cycle
        else []
    )
    for label, numbers in (("Also in it", others), ("Behind them", list(finding.ids("victim")))):
        if numbers:
            behind = [text for n in numbers[:5] if (text := _behind(snapshot, n))]
            more = f", and {len(numbers) - 5} more" if len(numbers) > 5 else ""  # noqa: PLR2004 - as many as fit
            lines.append(line(f"{label}: {', '.join(behind)}{more}."))
    return [*lines, *_judged(finding, len(cycle))]


def _judged(finding: Finding, cycle: int) -> list[Line]:
    """How sure it is, and what to do."""
    lines = [line()]
    sentence = f"{finding.assumes[:1].upper()}{finding.assumes[1:]}."
    if finding.proven:
        can = "none can go on before the next one does"
        if cycle < 2:  # noqa: PLR2004 - a circle of one, or none
            can = "it can never go on" if len(finding.ids("stuck")) == 1 else "they can never go on"
        lines.append(line(f"Proven: {can}. (Assumes that {finding.assumes}.)"))
    elif finding.verdict == "stall":
        lines.append(line(sentence))
    else:
        lines.append(line((sentence, "warn")))
    lines.append(line(f"Fix:    {finding.fix}."))
    if finding.now:
        lines.append(line(f"Now:    {finding.now}."))
    return lines


def _starving(finding: Finding) -> list[Line]:
    """Who waits for a loop that is blocked."""
    names = [f"{role.name} ({role.id})" for role in finding.tasks if role.role == "victim"]
    return [line(f"Meanwhile none of these runs: {words.listed(names, 5)}.")] if names else []


def _member(snapshot: Snapshot, finding: Finding, task: Task, following: Task) -> list[Line]:
    """What one task of the cycle holds and waits for."""
    lines = [line(('"', "dim"), (task.name, "name"), ('"', "dim"), f" ({task.id})")]
    involved = {item.id for item in finding.resources}
    for hold in task.holds:
        item = snapshot.resource(hold.resource)
        if item is not None and item.id in involved:
            taken = words.place(hold.file, hold.line, hold.function)
            lines.append(line(f"    holds      {words.what(item)}, taken at {taken}"))
    wait = task.wait
    if wait is None:
        return lines
    place = f"at {words.where(task)}, {phrases.since(wait)}"
    item = snapshot.resource(wait.resource) if wait.resource else None
    if item is not None:
        lines.append(line(f"    waits for  {words.what(item)}, {place}"))
        lines.append(line(f'    which is held by "{following.name}"'))
    else:
        through = f" through {wait.kind}" if wait.kind != "task" else ""
        lines.append(line(f'    awaits     "{following.name}" ({following.id}){through}, {place}'))
    return lines


def _behind(snapshot: Snapshot, number: int) -> str:
    task = snapshot.task(number)
    if task is None or task.wait is None:
        return ""
    target = task.wait.resource or task.wait.name
    return f"{task.name} ({task.id}) waits for {target}"
