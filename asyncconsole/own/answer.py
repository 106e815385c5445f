"""What a program's command returned, as plain data and as an answer.

`Plain` runs where the command did, for it asks objects of the program what they look like;
`shown` runs in the console and sees plain data alone.
"""

from __future__ import annotations

import dataclasses
import enum
import itertools
import json
import math
import types
from collections.abc import Iterator, Mapping
from typing import Any

from asyncconsole.model import Column, Line, Result, Span, Table, Text, line
from asyncconsole.repl.display import show

MOST_ROWS = 10_000
"""Items of the outermost list that are kept."""

MOST_ITEMS = 1_000
"""Items of each list and dict inside."""

MOST_VALUES = 300_000
"""Values in all; lists that share their items could else be very much longer than they look."""

MOST_COLUMNS = 40
"""Columns of a table; ``--json`` has the others."""

DEEPEST = 8
"""Lists and dicts inside of each other."""

LONGEST = 256 * 1024
"""Characters of one text."""

WIDEST = 8192
"""Bits of an integer; much longer ones are not turned into digits by Python itself."""

AT_A_TIME = 100
"""Rows that are made plain before others have their turn."""

_LISTS: Any = (list, tuple, set, frozenset, type({}.keys()), type({}.values()))


class Plain:
    """Makes data of a value, some rows at a time.

    Attributes:
        value: The data, once `steps` are through: what JSON knows and nothing else.
        left_out: Rows beyond `MOST_ROWS`.
        result: The value itself when that is a `Result`.
    """

    def __init__(self) -> None:
        self.value: Any = None
        self.left_out = 0
        self.result: Result | None = None
        self._left = MOST_VALUES

    def steps(self, value: Any) -> Iterator[None]:
        """Take a value; yields after each `AT_A_TIME` rows."""
        if isinstance(value, Result):
            self.result = value
            return
        if isinstance(value, types.GeneratorType):
            value = list(itertools.islice(value, MOST_ROWS + 1))
        if not isinstance(value, _LISTS) or _is_record(value):
            self.value = self._plain(value, 0)
            return
        rows: list[Any] = []
        self.value = rows
        for number, item in enumerate(tuple(value)[: MOST_ROWS + 1]):
            if number >= MOST_ROWS:
                self.left_out = len(value) - MOST_ROWS
                return
            rows.append(self._plain(item, 1))
            if number % AT_A_TIME == AT_A_TIME - 1:
                yield

    def _plain(self, value: Any, depth: int) -> Any:
        """What JSON can say of a value."""
        self._left -= 1
        if self._left < 0:
            return "…"
        if value is None or isinstance(value, bool | int | float | str | enum.Enum):
            return _scalar(value)
        if depth > DEEPEST and (_is_record(value) or isinstance(value, (Mapping, *_LISTS))):
            return f"<{type(value).__name__}, too deep>"  # its repr might never end
        if _is_record(value):
            return {name: self._plain(item, depth + 1) for name, item in _fields(value)}
        if isinstance(value, Mapping):
            items = list(itertools.islice(value.items(), min(MOST_ITEMS, self._left + 1)))
            return {_key(key): self._plain(item, depth + 1) for key, item in items}
        if isinstance(value, _LISTS):
            some = list(itertools.islice(value, min(MOST_ITEMS, self._left + 1)))
            return [self._plain(item, depth + 1) for item in some]
        kind = type(value)
        if hasattr(kind, "isoformat"):  # dates and times
            return str(value.isoformat())
        plain: Any = object.__str__
        return show(value) if kind.__str__ is plain else _text(value)


def _scalar(value: Any) -> Any:
    """A plain value, also of a subclass."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, int):
        return int(value) if value.bit_length() <= WIDEST else show(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    return _text(value)


def _is_record(value: Any) -> bool:
    """Whether it is a dataclass's instance or a named tuple."""
    fields = getattr(type(value), "_fields", None)
    return dataclasses.is_dataclass(type(value)) or (isinstance(value, tuple) and bool(fields))


def _fields(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, tuple):
        return list(zip(value._fields, value, strict=True))  # type: ignore[attr-defined]  # a named tuple
    return [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]


def _key(key: Any) -> str:
    return key if type(key) is str else _text(key)


def _text(value: Any) -> str:
    """``str(value)``, cut; what its ``__str__`` raises goes on to the command."""
    text = str(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def shown(command: str, plain: Plain) -> Result:
    """The answer of a command."""
    if plain.result is not None:
        return plain.result
    document = {
        "schema": "asyncconsole/command/1",
        "command": command,
        "value": plain.value,
        "left_out": plain.left_out,
    }
    return Result(document, lambda: _blocks(plain))


def _blocks(plain: Plain) -> tuple[Table | Text, ...]:
    value = plain.value
    if value is None:
        return (Text((line("Done."),)),)
    if isinstance(value, dict):
        return (Text(tuple(_pairs(value))),)
    if not isinstance(value, list):
        return (Text(tuple(line(part) for part in _cell(value).splitlines()) or (line(),)),)
    count = len(value) + plain.left_out
    words = "1 row" if count == 1 else f"{count:,} rows"
    if plain.left_out:
        words += f"; the first {len(value):,} are shown"
    below = Text((line(words),))
    if value and all(isinstance(row, dict) for row in value):
        return (_table(value), below)
    return (Text(tuple(line(" ".join(_cell(item).split("\n"))) for item in value)), below)


def _pairs(value: dict[str, Any]) -> Iterator[Line]:
    """A dict: a line for each key."""
    width = max(map(len, value), default=0)
    if not value:
        yield line("Nothing.")
    for key, item in value.items():
        first, *more = _cell(item).splitlines() or [""]
        yield line((key.ljust(width), "name"), f"  {first}")
        for text in more:
            yield line(f"{' ' * width}  {text}")


def _table(rows: list[dict[str, Any]]) -> Table:
    keys = list(dict.fromkeys(key for row in rows for key in row))[:MOST_COLUMNS]
    columns = []
    for key in keys:
        cells = [row[key] for row in rows if row.get(key) is not None]
        number = bool(cells) and all(type(cell) in (int, float) for cell in cells)
        title = key.upper().replace("_", " ")
        columns.append(Column(title, "right" if number else "left", 0 if number else 8))
    return Table(
        tuple(columns),
        tuple(
            tuple(((Span(" ".join(_cell(row.get(key)).split("\n"))),),) for key in keys)
            for row in rows
        ),
    )


def _cell(value: Any) -> str:
    """One value in words."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.6g}"
    return json.dumps(value, ensure_ascii=False)
