"""What the benchmarks print: budgets, tables, and a machine without a name."""

import os
import platform
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent.parent / "benchmarks"


@pytest.fixture
def measure(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import measure

    yield measure
    for name in ("measure", "sides", "scale"):
        sys.modules.pop(name, None)


def test_a_missed_budget_says_by_how_much(measure):
    row = measure.Budget("spawn", 1.25, 1.02, measure.TIMES).row()
    assert row == ("spawn", "×1.25", "≤ ×1.02", "**×0.23**")
    assert measure.Budget("spawn", 1.04, 1.02, measure.TIMES, 0.05).row()[3].startswith("×0.02, wi")
    assert measure.Budget("ps", 1.5, 2.0, "s").row() == ("ps", "1.5 s", "≤ 2 s", "")
    assert measure.Budget("modules", 0, 0, "").row() == ("modules", "0", "≤ 0", "")


def test_a_table_lines_up(measure):
    lines = measure.table(["a", "bb"], [["ccc", "d"]]).splitlines()
    assert lines == ["| a   | bb |", "|-----|----|", "| ccc | d  |"]


def test_the_machine_has_no_name(measure):
    told = measure.machine(measure.Setting(sys.executable, "", quick=True))
    assert platform.python_version() in told
    assert platform.node() not in told
    assert "/" not in told


def test_every_shown_delay_has_a_unit(measure):
    assert [measure.duration(value) for value in (None, 0.0004, 0.25, 2.345)] == [
        measure.DASH, "0.4 ms", "250 ms", "2.35 s"
    ]  # fmt: skip


def test_the_command_line_of_a_benchmark(measure, monkeypatch, capsys):
    told = []

    async def child(side, count):
        told.append((side, count))

    def found(where):
        assert where.quick
        budgets = [measure.Budget("ps", 2.5, 2.0, "s")]
        return SimpleNamespace(text="the table", budgets=budgets)

    @contextmanager
    def setting(python, *, quick, peers):
        yield measure.Setting(python, "", quick)

    monkeypatch.setattr(measure, "setting", setting)
    for words in (["--child", "console", "100"], ["--quick"]):
        monkeypatch.setattr(sys, "argv", ["some.py", *words])
        measure.present("What.\n\nMore.", found, child, words=2, quick="less")
    assert told == [("console", "100")]
    printed = capsys.readouterr().out
    assert printed.startswith("the table\n\n| budget | measured |")
    assert "**0.5 s**" in printed


def test_a_program_under_the_clock_answers(measure):
    import scale

    variables = {**os.environ, "PYTHONPATH": str(BENCHMARKS.parent)}
    where = measure.Setting(sys.executable, "", quick=True, environment=variables)
    found = scale.Scale()
    scale._one(found, where, "console", (100, "churn", "100 churn"))
    commands = [row[2] for row in found.rows]
    assert commands == [
        "nobody asks", "the first client comes", "ps", "ps --limit 50", "where TASK", "locks",
        "deadlocks",
    ]  # fmt: skip
    assert all(" ms" in row[5] for row in found.rows)
