"""How many terminal cells a text takes, and cutting it to fit."""

from __future__ import annotations

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=8192)
def cells(text: str) -> int:
    """Cells that ``text`` takes: 2 for wide characters, 0 for combining ones."""
    if text.isascii():
        return len(text)
    return sum(_cell(character) for character in text)


def _cell(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def cut(text: str, most: int) -> str:
    """``text`` in at most that many cells, with an ellipsis where it was cut."""
    if cells(text) <= most:
        return text
    used = 0
    for index, character in enumerate(text):
        used += _cell(character)
        if used > most - 1:
            return text[:index] + "…"
    return text


def clean(text: str) -> str:
    """``text`` without control characters and lone surrogates.

    Task and lock names come from the program and may hold anything; an escape code
    in a name must not reach somebody's terminal.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else _visible(character) for character in text
    )


def _visible(character: str) -> str:
    if character in "\t ":
        return " "
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 - two digits' worth
