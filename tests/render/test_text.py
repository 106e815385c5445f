"""Tables that fit, names that can't harm a terminal."""

from __future__ import annotations

import json
import re

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncconsole.model import Column, Result, Span, Table, Text, line
from asyncconsole.render import show
from asyncconsole.render.text import Rows
from asyncconsole.render.width import cells, clean, cut

COLUMNS = (Column("ID", "right"), Column("NAME", least=8), Column("WHERE", least=10))


def table(*names):
    rows = tuple(
        ((line((str(n), "id")),), (line((name, "name")),), (line("app.py:1 work"),))
        for n, name in enumerate(names)
    )
    return Result({}, (Table(COLUMNS, rows),))


def columns_of(result, *starts):
    """In which column of a real terminal the text of each row begins that starts so."""
    screen = pyte.Screen(400, 30)
    pyte.Stream(screen).feed(show(result, json=False, width=400).replace("\n", "\r\n"))
    found = set()
    for row in range(screen.lines):
        drawn = [screen.buffer[row][column].data for column in range(screen.columns)]
        for column in range(len(drawn)):
            if any(drawn[column : column + len(start)] == list(start) for start in starts):
                found.add(column)
                break
    return found


@pytest.mark.parametrize(
    "name", ["plain", "écrit", "転送:甲→乙", "🦀🦀 crab", "e\u0301 combining", "x" * 300]
)
def test_columns_stand_under_each_other_whatever_the_name(name):
    assert len(columns_of(table(name, "short"), "WHERE", "app.py")) == 1


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_table_fits_the_terminal_as_long_as_columns_may_be_cut(width):
    lines = show(table("n" * 300, "転" * 200), json=False, width=width).splitlines()
    assert max(map(cells, lines)) < width
    assert "…" in lines[1]
    assert "…" in lines[2]


@pytest.mark.parametrize("width", [16, 20, 24])
def test_a_terminal_too_narrow_for_the_table_gets_a_record_for_each_row(width):
    lines = show(table("n" * 300, "short one"), json=False, width=width).splitlines()
    assert max(map(cells, lines)) < width
    assert [item.split()[0] for item in lines if item.startswith("ID")] == ["ID", "ID"]
    assert lines.count("") == 2
    text = " ".join(" ".join(lines).split())
    assert "short one" in text
    assert "app.py:1" in text


def test_all_parts_of_a_long_answer_are_records_once_one_is():
    rows = Rows(24, colour=False)
    first, second = (table(name).shown()[0] for name in ("n" * 300, "short"))
    assert rows.lines(first)[0].startswith("ID")
    assert rows.lines(second)[:2] == ["ID     0", "NAME   short"]


@pytest.mark.parametrize("name", ["Lock " + "n" * 300, "転" * 200])
def test_the_number_at_the_end_of_a_cell_outlives_the_cut(name):
    shown = show(table(f"{name} (L12)", "n" * 300 + " (some words)"), json=False, width=60)
    first, second = shown.splitlines()[1:3]
    assert "… (L12)  " in first
    assert "words" not in second
    assert max(map(cells, (first, second))) < 60


def test_nothing_is_cut_without_a_width():
    assert "n" * 300 in show(table("n" * 300), json=False)


def test_colour_changes_nothing_but_colour():
    result = table("a", "転送")
    coloured = show(result, json=False, width=60, colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == show(result, json=False, width=60)


@pytest.mark.parametrize(
    "name", ["\x1b[2Jgone", "bell\a", "a\nb", "nul\0", "\x9b31m", "\u202eback"]
)
def test_a_name_can_not_steer_the_terminal(name):
    text = show(table(name), json=False, width=100)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert len(text.splitlines()) == 2


def test_lone_surrogates_can_be_sent():
    show(table("\udcff"), json=False).encode()
    json.loads(show(Result({"name": "\udcff"}), json=True).encode())


def test_cells_of_several_lines():
    cell = (line("1. first"), line("2. second"))
    result = Result(
        {}, (Table((Column("A"), Column("B")), (((line("x"),), cell),)), Text((line("end"),)))
    )
    assert show(result, json=False) == "A  B\nx  1. first\n   2. second\nend\n"


@given(st.text(max_size=60), st.integers(1, 40))
def test_cut_never_exceeds_and_keeps_a_prefix(text, most):
    shown = cut(clean(text), most)
    assert cells(shown) <= most
    assert clean(text).startswith(shown.removesuffix("…"))


def test_a_span_can_be_made_in_each_way():
    assert line("a", ("b", "bad"), Span("c", "dim")) == (
        Span("a"),
        Span("b", "bad"),
        Span("c", "dim"),
    )
