"""`ps` of many tasks: read, rendered and written piece by piece."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys

import pytest

from asyncconsole.commands import dispatch
from asyncconsole.model import Frame, Snapshot, Task, UsageError, Wait
from asyncconsole.render import flow, show

PIECE = 500


def task(number):
    return Task(
        number,
        f"conn-{number}",
        "waiting",
        "serve",
        1,
        wait=Wait("queue_get", "Conn.inbox", "Queue", f"L{number}", since=float(number % 7)),
        frames=(Frame("/app/bank.py", 22 + number % 3, "serve"),),
    )


class Target:
    """A program of many tasks that tells how far it was read, and what of it is still alive."""

    def __init__(self, tasks):
        self.tasks = tasks
        self.read = 0
        self.closed = False
        self.alive = 0

    async def stream(self, *, first=None):
        numbers = range(1, self.tasks + 1)[:first]
        held = []
        try:
            for start in range(0, max(1, len(numbers)), PIECE):
                tasks = tuple(task(number) for number in numbers[start : start + PIECE])
                self.read += len(tasks)
                held.append(tasks)
                # Two: this list, and the argument of getrefcount.
                held = [item for item in held if sys.getrefcount(item) > 3]
                self.alive = max(self.alive, len(held))
                yield Snapshot(1, "bank.py", "3", "now", tasks=tasks, total=self.tasks)
        finally:
            self.closed = True


def ask(target, line, *, person=False, stop_after=None):
    """What is written, piece by piece, with how far the program had been read by then."""

    async def run():
        call = dispatch.parse(line)
        call.options.person = person
        result = await call.command.run(target, call.options)
        if result.flow is None:
            return [(show(result, json=call.json), target.read)]
        written = []
        pieces = flow(result.flow, json=call.json)
        async with contextlib.aclosing(result.flow.parts), contextlib.aclosing(pieces):
            async for piece in pieces:
                written.append((piece, target.read))
                if len(written) == stop_after:
                    break
        return written

    return asyncio.run(run())


def text(*args, **options):
    return "".join(piece for piece, _ in ask(*args, **options))


@pytest.mark.parametrize("line", ["ps", "ps --json", "ps conn", "ps --limit 9000"])
def test_the_first_rows_come_before_the_last_task_is_read(line):
    target = Target(10_000)
    written = ask(target, line)
    first, read = next(item for item in written if "conn-1" in item[0])
    assert read < 5_000
    assert "conn-9000" not in first
    assert "conn-9000" in written[-1][0] or any("conn-9000" in piece for piece, _ in written)


def test_what_was_written_is_forgotten():
    target = Target(20_000)
    ask(target, "ps")
    assert target.read == 20_000
    assert target.alive < 10  # pieces, of 40
    assert target.closed


def test_a_client_that_leaves_ends_the_reading():
    target = Target(10_000)
    ask(target, "ps", stop_after=1)
    assert target.closed
    assert target.read < 5_000


def test_the_document_in_pieces_is_the_document():
    found = json.loads(text(Target(1_234), "ps --json"))
    assert list(found) == ["schema", "tasks", "total", "shown"]
    assert [item["id"] for item in found["tasks"]] == list(range(1, 1_235))
    assert (found["total"], found["shown"]) == (1_234, 1_234)
    assert json.loads(text(Target(0), "ps --json"))["tasks"] == []
    grouped = json.loads(text(Target(90), "ps --json --group"))
    assert (grouped["groups"], len(grouped["tasks"])) == (3, 90)


def test_a_table_in_pieces_has_one_heading_and_every_row():
    lines = text(Target(5_000), "ps").splitlines()
    assert sum(line.split()[:2] == ["ID", "STATE"] for line in lines) == 1
    assert len(lines) == 5_002
    assert lines[-1] == "5000 tasks"
    # Columns grow, and never shrink: the place is never left of where it was.
    places = [line.index("bank.py") for line in lines[1:-1]]
    assert places == sorted(places)


def test_a_person_gets_a_screenful_and_a_script_gets_all():
    lines = text(Target(3_000), "ps", person=True).splitlines()
    assert len(lines) == 1_002
    assert lines[-1].startswith("3000 tasks, 1000 shown; `ps --limit 0` shows all")
    assert len(text(Target(3_000), "ps").splitlines()) == 3_002
    assert len(text(Target(3_000), "ps --limit 0", person=True).splitlines()) == 3_002
    assert json.loads(text(Target(3_000), "ps --json", person=True))["shown"] == 3_000
    assert text(Target(3_000), "ps --limit 5", person=True).endswith("3000 tasks, 5 shown\n")
    assert text(Target(900), "ps", person=True).endswith("\n900 tasks\n")


def test_a_limit_reads_no_more_than_it_shows():
    target = Target(10_000)
    text(target, "ps --limit 50")
    assert target.read == 50


def test_filters_sorting_and_groups_see_every_piece():
    assert text(Target(1_200), "ps conn-119?").endswith("\n10 tasks\n")
    found = json.loads(text(Target(1_200), "ps --older 6 --limit 3 --json"))
    assert (found["total"], found["shown"]) == (171, 3)
    rows = json.loads(text(Target(1_200), "ps --sort name --json"))["tasks"]
    assert [row["name"] for row in rows] == sorted(f"conn-{n}" for n in range(1, 1_201))
    groups = text(Target(1_200), "ps --group")
    assert "1200 tasks in 3 groups" in groups
    assert " 400 " in groups


def test_a_limit_below_nothing_is_refused():
    with pytest.raises(UsageError, match="--limit"):
        ask(Target(1), "ps --limit -1")
