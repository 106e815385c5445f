"""One JSON object on a line, from our own hand or from a stranger's."""

from __future__ import annotations

import json
import sys
from typing import Any


class RecordError(ValueError):
    """These are not the lines of a recording; the message is a few words."""


_dumps = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def line_of(value: Any) -> str:
    """The line of a value, with its end, in ASCII."""
    return f"{_dumps(value)}\n"


def _integer(digits: str) -> int:
    """A whole number that is not too long: the time to read one grows with its square."""
    if len(digits) > 400:  # noqa: PLR2004 - more than any float has
        msg = "a number is too long"
        raise ValueError(msg)
    return int(digits)


def _constant(word: str) -> None:
    raise ValueError(word)


_bounded = getattr(sys, "get_int_max_str_digits", lambda: 0)()  # came with 3.10.7
_loads = json.JSONDecoder(parse_constant=_constant, parse_int=None if _bounded else _integer).decode


def parsed(line: bytes) -> dict[str, Any]:
    """The object on a line.

    Raises:
        RecordError: There is none.
    """
    try:
        value = _loads(line.decode())
    except (ValueError, RecursionError):
        value = None
    if type(value) is not dict:
        msg = "a line is no JSON object"
        raise RecordError(msg)
    return value
