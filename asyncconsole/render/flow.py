"""A long answer part by part: what is written is forgotten."""

from __future__ import annotations

import json as _json
from collections.abc import AsyncIterator

from asyncconsole.model import Flow, Result, Table
from asyncconsole.render.text import Rows, text

FIRST = 2_000
"""Rows that make the first widths of the columns."""


def flow(
    found: Flow, *, json: bool, width: int | None = None, colour: bool = False
) -> AsyncIterator[str]:
    """What the person or script gets to see, in pieces; same as `show` of it all."""
    return _document(found) if json else _text(found, width, colour)


async def _document(found: Flow) -> AsyncIterator[str]:
    head = found.document()
    start = "".join(f"{_json.dumps(key)}: {_dump(head[key])}, " for key in found.first)
    yield f"{{{start}{_json.dumps(found.key)}: ["
    comma = ""
    async for part in found.parts:
        items = part.documents()
        if items:
            yield comma + _dump(items)[1:-1]
            comma = ", "
    rest = found.document()
    end = "".join(
        f", {_json.dumps(key)}: {_dump(value)}"
        for key, value in rest.items()
        if key not in found.first
    )
    yield f"]{end}}}\n"


def _dump(value: object) -> str:
    return _json.dumps(value, default=str, allow_nan=False)


async def _text(found: Flow, width: int | None, colour: bool) -> AsyncIterator[str]:
    rows = Rows(width, colour)
    held: Table | None = None
    started = False
    async for part in found.parts:
        table = part.table()
        if not started:
            if held is not None:
                table = Table(table.columns, (*held.rows, *table.rows))
            if len(table.rows) < FIRST:
                held = table
                continue
            started, held = True, None
        yield _joined(rows.lines(table))
    below = text(Result({}, found.blocks()), width=width, colour=colour)
    yield below if held is None else _joined(rows.lines(held)) + below


def _joined(lines: list[str]) -> str:
    return "".join(f"{item}\n" for item in lines)
