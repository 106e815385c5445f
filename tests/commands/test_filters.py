"""`| grep` and its like: on answers of real programs, and on those that come in parts."""

from __future__ import annotations

import asyncio

import pytest

from asyncconsole.commands import dispatch, filters
from asyncconsole.model import UsageError
from asyncconsole.render import show
from tests.commands.conftest import Program
from tests.commands.test_stream import Target


@pytest.fixture(scope="module")
def bank():
    running = Program("bank")
    running.until("ps", lambda found: len(found["tasks"]) == 5)
    yield running
    running.end()


def names(text):
    return [line.split()[2] for line in text.splitlines()[1:]]


def test_rows_of_a_table_with_their_heading(bank):
    found = bank.ask("ps | grep transfer")
    assert found.split()[:3] == ["ID", "STATE", "NAME"]
    assert names(found) == ["transfer:a→b", "transfer:b→a"]
    assert names(bank.ask("ps | grep -i TRANSFER | grep -v b→a")) == ["transfer:a→b"]
    assert names(bank.ask("ps | grep audit heartbeat")) == ["audit", "heartbeat"]
    assert names(bank.ask("ps|sort name|head 2")) == ["audit", "heartbeat"]
    assert names(bank.ask("ps | sort -r name | tail -n 1")) == ["audit"]
    assert names(bank.ask("ps | sort -r name | tail -1")) == ["audit"]
    assert names(bank.ask("ps | sort -r")) == names(bank.ask("ps | sort"))[::-1]
    assert bank.ask("ps | grep transfer | count") == "2\n"
    assert bank.ask("ps | grep nothing") == ""
    assert bank.ask("ps | grep nothing | count") == "0\n"


def test_lines_of_prose(bank):
    (line,) = bank.ask("where audit | grep 'waits here'").splitlines()
    assert "async with LOCKS" in line
    assert bank.ask("deadlocks | head 1").startswith("Found 1 deadlock: ")
    count = int(bank.ask("deadlocks | wc"))
    assert count == sum(bool(line.strip()) for line in bank.ask("deadlocks").splitlines())


def test_a_lock_keeps_all_its_lines(bank):
    found = bank.ask("locks | grep audit")
    assert "LOCKS['alice']" in found
    assert "transfer:b→a" in found
    assert "LOCKS['bob']" not in found


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ps | grpe x", "No filter `grpe`. Did you mean `grep`?"),
        ("ps |", "A filter must follow `|`: grep, head, tail, sort, count."),
        ("ps || head", "A filter must follow `|`"),
        ("| head", "A command must stand before `|`"),
        ("ps | grep", "grep: the following arguments are required: WORD"),
        ("ps | head x", "head: argument N: invalid int value: 'x'"),
        ("ps | grep --colour x", "grep: no option `--colour`"),
        ("ps | sort AGES", "sort: no column `AGES`. The columns are ID, STATE, NAME,"),
        ("where audit | sort NAME", "sort: no column `NAME`. This answer has no columns."),
        ("ps --json | head", "A document can't be filtered here"),
        ("ps | head --json", "A document is not filtered here"),
        ("console | head", "`console` can't be filtered here"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(bank, line, words):
    bank.ask(line, code=2)
    assert words in bank.complaint
    assert len(bank.complaint.splitlines()) == 1


def test_json_asked_for_outside_is_the_same_mistake(bank):
    bank.ask("ps | head", options=("--json",), code=2)
    assert "A document can't be filtered here" in bank.complaint


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("ps", ["ps"]),
        ("ps|head", ["ps", "head"]),
        ("where 'a|b' | grep \"c|d\"", ["where 'a|b' ", ' grep "c|d"']),
        (r"where a\|b", [r"where a\|b"]),
        (r"where 'a\' | head", [r"where 'a\' ", " head"]),
        ("where 'a | b", ["where 'a | b"]),
        ("|", ["", ""]),
    ],
)
def test_bars_in_quotes_are_text(line, parts):
    assert filters.split(line) == parts


def passed(target, line):
    async def run():
        call = dispatch.parse(line)
        call.options.person = False
        return await filters.applied(await call.command.run(target, call.options), call.filters)

    return show(asyncio.run(run()), json=False)


def test_a_long_answer_is_read_no_further_than_needed():
    target = Target(50_000)
    assert passed(target, "ps | grep conn-1 | head 3").splitlines()[-1].split()[2] == "conn-11"
    assert target.read < 5_000
    assert target.closed


def test_a_long_answer_is_counted_and_sorted():
    assert passed(Target(5_000), "ps | count") == "5000\n"
    assert passed(Target(5_000), "ps | grep conn-4 | count") == "1111\n"
    last = passed(Target(5_000), "ps | sort since | tail 1").splitlines()[-1]
    assert "6.0 s" in last
    first = passed(Target(5_000), "ps | sort -r id | head 1").splitlines()[-1]
    assert first.split()[0] == "5000"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("ps | gr", (2, ["grep"])),
        ("ps |", (0, list(filters.NAMES))),
        ("ps | grep x", (1, [])),
        ("ps 'a|gr", (5, [])),
    ],
)
def test_completion(line, found):
    replaced, candidates = dispatch.complete(line, None)
    assert (replaced if candidates else found[0], list(candidates)) == found


def test_an_unknown_column_of_no_rows():
    with pytest.raises(UsageError, match="no column `NOTHING`"):
        passed(Target(0), "ps | sort NOTHING")
