"""Scores the verdicts on all programs of the evaluation, and writes the table of docs/verdicts.md.

Usage: ``python -m tests.evaluation.score [--python 3.11 …] [--loop asyncio …] [--track 0 …] [--only WORD]
[--every N] [--write] [--quiet]``
"""

from __future__ import annotations

import argparse
import dataclasses
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from tests.evaluation import table
from tests.evaluation.child import Answer, ask_about
from tests.evaluation.judge import Score, brief, judge
from tests.evaluation.program import Program, as_tuple, programs
from tests.interpreters import present

LOOPS = ("asyncio", "uvloop", "eager", "debug")
AT_ONCE = 4


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """A way to run programs: an interpreter, a kind of loop, and whether tasks and locks are tracked."""

    version: str
    loop: str
    track: bool

    def __str__(self) -> str:
        return f"{self.version} {self.loop} {'tracked' if self.track else 'untracked'}"


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """One program in one column."""

    program: Program
    column: Column
    answer: Answer
    score: Score


def columns(versions: Iterable[str], loops: Iterable[str], tracks: Iterable[bool]) -> list[Column]:
    """Every combination that there is on this machine."""
    pythons = present()
    found = []
    for version in versions:
        for loop in loops:
            if loop == "uvloop" and not has_uvloop(pythons[version]):
                continue
            if loop == "eager" and as_tuple(version) < (3, 12):
                continue
            found += [Column(version, loop, track) for track in tracks]
    return found


def has_uvloop(python: str) -> bool:
    return not subprocess.run([python, "-c", "import uvloop"], stderr=-3, check=False).returncode


def evaluate(
    runs: Iterable[tuple[Program, Column]], tell: Callable[[Result], None] = lambda result: None
) -> list[Result]:
    """Run programs, some at a time.

    Args:
        runs: What to run, and how; a program that its interpreter can't run is left out.
        tell: Is given each result as it comes.
    """
    pythons = present()

    def one(run: tuple[Program, Column]) -> Result:
        program, column = run
        python = pythons[column.version]
        answer = ask_about(program, python, column.loop, track=column.track)
        result = Result(program, column, answer, judge(program, list(answer.findings)))
        tell(result)
        return result

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, [run for run in runs if run[0].runs_on(run[1].version)]))


def say(result: Result) -> None:
    """One line for a result, and more where it is not what was expected."""
    score, program = result.score, result.program
    good = not score.doubts if program.healthy else score.recalled and score.exact and score.cause
    good = good and not (score.false or score.accused or result.answer.error)
    missing = (
        ""
        if program.healthy
        else ", ".join(
            word
            for word, there in (
                ("MISSED", score.recalled), ("other kind", score.exact), ("no cause", score.cause),
            )
            if not there
        )
    )  # fmt: skip
    print(f"{'ok ' if good else '-- '} {result.column} {program.name} {missing}", flush=True)
    if not good:
        for line in (
            *([result.answer.error] if result.answer.error else []),
            *(f"FALSE {text}" for text in score.false),
            *(f"accused {text}" for text in score.accused),
            *(f"found {brief(finding)}" for finding in result.answer.findings),
        ):
            print(f"      {line}", flush=True)


def main() -> int:
    """Run what the command line says; 0 if nothing was said falsely and every program ran."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", nargs="+", choices=sorted(present()), default=list(present()))
    parser.add_argument("--loop", nargs="+", choices=LOOPS, default=["asyncio", "uvloop"])
    parser.add_argument("--track", nargs="+", choices=["0", "1"], default=["0", "1"])
    parser.add_argument("--only", default="", help="programs with this in their name")
    parser.add_argument(
        "--every",
        type=int,
        default=1,
        help="each N-th program alone, another one for each way to run them",
    )
    parser.add_argument("--write", action="store_true", help="write the table to docs/verdicts.md")
    parser.add_argument("--quiet", action="store_true", help="say nothing of single programs")
    options = parser.parse_args()
    ways = columns(options.python, options.loop, [word == "1" for word in options.track])
    chosen, every = programs(options.only), options.every
    runs = [
        (program, way)
        for number, way in enumerate(ways)
        for program in chosen[number % every :: every]
    ]
    results = evaluate(runs, (lambda result: None) if options.quiet else say)
    text = table.made(results)
    if options.write:
        table.write(text)
    print(text)
    return int(any(result.score.false or result.answer.error for result in results))


if __name__ == "__main__":
    sys.exit(main())
