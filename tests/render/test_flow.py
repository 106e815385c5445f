"""Rows that are made in one go look like those that are made one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from asyncconsole.model import Column, Texts
from asyncconsole.render.text import Rows

COLUMNS = (Column("ID", "right"), Column("NAME", least=8), Column("SINCE", "right"))
PLAIN = st.text(st.sampled_from("ab %≥…"), max_size=12)
ODD = st.text(st.sampled_from("ab %≥…猫\x1b\u0301\n"), max_size=6)


def parts(text):
    rows = st.lists(st.tuples(text, text, text), min_size=1, max_size=5)
    return st.lists(rows, min_size=1, max_size=4)


def drawn(rows):
    """The rows, part by part, and how many parts were made in one go."""
    made = Rows(None, colour=False)
    found, quick = "", 0
    for part in rows:
        texts = Texts(COLUMNS, tuple(map(list, zip(*part, strict=True))))
        text = made.plain(texts)
        quick += text is not None
        found += "".join(f"{row}\n" for row in made.lines(texts.table())) if text is None else text
    return found, quick


def one_by_one(rows):
    made = Rows(None, colour=False)
    tables = [Texts(COLUMNS, tuple(map(list, zip(*part, strict=True)))).table() for part in rows]
    return "".join(f"{row}\n" for table in tables for row in made.lines(table))


@given(parts(PLAIN))
def test_plain_texts_are_made_in_one_go_and_look_alike(rows):
    assert drawn(rows) == (one_by_one(rows), len(rows))


@given(parts(ODD))
def test_odd_texts_look_like_their_table(rows):
    assert drawn(rows)[0] == one_by_one(rows)


def test_what_must_fit_or_be_coloured_is_left_to_the_table():
    texts = Texts(COLUMNS, (["1"], ["a"], ["b"]))
    assert Rows(20, colour=False).plain(texts) is None
    assert Rows(None, colour=True).plain(texts) is None
