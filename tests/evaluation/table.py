"""The table of an evaluation, in Markdown, and its place in docs/verdicts.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tests.interpreters import CHECKOUT

if TYPE_CHECKING:
    from tests.evaluation.score import Result

PAGE = CHECKOUT / "docs" / "verdicts.md"
BEGIN, END = "<!-- evaluation: made by make evaluate -->", "<!-- end -->"


def recall(results: Iterable[Result]) -> float:
    """Share of the hanging programs that are recognised; 1 when there are none."""
    told = [result.score.recalled for result in results if not result.program.healthy]
    return sum(told) / len(told) if told else 1.0


def made(results: Sequence[Result]) -> str:
    """The tables: one row for each way to run, then one for each kind of hang."""
    return "\n".join([*_ways(results), "", *_kinds(results), "", *_missed(results)]).rstrip() + "\n"


def write(text: str) -> None:
    """Put the tables between their markers."""
    page = PAGE.read_text("utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        msg = f"{PAGE.name} has no place for the evaluation: {BEGIN} … {END}"
        raise ValueError(msg)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", "utf-8")


def _share(results: Sequence[Result], what: str) -> str:
    good = sum(bool(getattr(result.score, what)) for result in results)
    return f"{good}/{len(results)}" if results else "–"


def _ways(results: Sequence[Result]) -> list[str]:
    lines = [
        (
            "| Python, loop, tracking | recognised | very kind | cause named | bystanders accused "
            "| false verdicts | healthy, suspected | no answer |"
        ),
        "|---|---|---|---|---|---|---|---|",
    ]
    for way in dict.fromkeys(result.column for result in results):
        here = [result for result in results if result.column == way]
        hanging = [result for result in here if not result.program.healthy]
        healthy = [result for result in here if result.program.healthy]
        cells = [
            str(way),
            *(_share(hanging, what) for what in ("recalled", "exact", "cause", "accused")),
            *(_share(here, "false"), _share(healthy, "doubts")),
            str(sum(bool(result.answer.error) for result in here)),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _kinds(results: Sequence[Result]) -> list[str]:
    lines = [
        (
            "| kind | programs | untracked: recognised | tracked: recognised | very kind | cause named "
            "| false verdicts on look-alikes |"
        ),
        "|---|---|---|---|---|---|---|",
    ]
    for kind in sorted({result.program.kind for result in results}):
        of_kind = [result for result in results if result.program.kind == kind]
        hanging = [result for result in of_kind if not result.program.healthy]
        tracked = [result for result in hanging if result.column.track]
        untracked = [result for result in hanging if not result.column.track]
        healthy = [result for result in of_kind if result.program.healthy]
        files = len({result.program.name for result in hanging})
        others = len({result.program.name for result in healthy})
        cells = [
            f"`{kind}`",
            f"{files} + {others} healthy",
            _share(untracked, "recalled"),
            _share(tracked, "recalled"),
            _share(hanging, "exact"),
            _share(hanging, "cause"),
            _share(healthy, "false"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _missed(results: Sequence[Result]) -> list[str]:
    """Programs that were missed in any way of running them, with how often."""
    lines = []
    hanging = [result for result in results if not result.program.healthy]
    for name in sorted({result.program.name for result in hanging if not result.score.recalled}):
        mine = [result for result in hanging if result.program.name == name]
        missed = [result.column for result in mine if not result.score.recalled]
        where = "everywhere" if len(missed) == len(mine) else _where(missed, len(mine))
        lines.append(f"- `{name}`: {where}")
    return ["Not recognised:", "", *lines] if lines else []


def _where(missed: Sequence[object], runs: int) -> str:
    few = 4
    listed = ", ".join(map(str, missed[:few]))
    return f"{len(missed)} of {runs} runs" + (f" ({listed})" if len(missed) <= few else "")
