"""Keys from characters, however they are cut into pieces."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncconsole.serve.keyboard import Keyboard, Parser

TYPED = "jK\x1b[A\x1bOB\x1b[5~\x1b[1~é\r\x7f\x1b[200~\x15\x1b[D文"
KEYS = ["j", "K", "up", "down", "pageup", "home", "é", "enter", "backspace", "ctrl-u", "left", "文"]


@given(st.sets(st.integers(1, len(TYPED) - 1)))
def test_keys_do_not_depend_on_how_they_come(cuts):
    parser = Parser()
    edges = [0, *sorted(cuts), len(TYPED)]
    pieces = [TYPED[start:end] for start, end in pairwise(edges)]
    found = [key for piece in pieces for key in parser.feed(piece)]
    assert found == KEYS


@given(st.text(alphabet=st.sampled_from("\x1b[O;19~ABxq\x03\x00\r"), max_size=200))
def test_no_text_breaks_the_parser_or_fills_it(text):
    parser = Parser()
    parser.feed(text)
    assert len(parser._begun) < 40
    parser.flush()
    assert not parser.begun


def test_a_lone_escape_is_a_key_after_a_while():
    async def type_and_read():
        keyboard = Keyboard()
        keyboard.feed("\x1b")
        found = [await keyboard.get()]
        keyboard.feed("\x1b[")
        return [*found, await keyboard.get(1.0)]

    assert asyncio.run(type_and_read()) == ["escape", ""]


def test_ctrl_c_goes_before_all_else_and_an_end_after():
    keyboard = Keyboard()
    keyboard.feed("abc" * 1000 + "\x03d")
    keyboard.put("resize")
    keyboard.put("resize")
    keyboard.end()

    async def read():
        return [await keyboard.get() for _ in range(3)]

    assert asyncio.run(read()) == ["ctrl-c", "d", "resize"]
    with pytest.raises(EOFError):
        asyncio.run(keyboard.get())


def test_keys_that_nobody_reads_are_bounded():
    keyboard = Keyboard()
    keyboard.feed("x" * 100_000)
    assert len(keyboard._keys) < 1000
