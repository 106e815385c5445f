"""A long answer part by part: what is written is forgotten."""

from __future__ import annotations

import json as _json
from collections.abc import AsyncIterator

from asyncconsole.model import Flow, Result, Table, Texts
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
    plain = width is None and not colour
    held: Table | Texts | None = None
    started = False
    async for part in found.parts:
        block = part.texts() if plain and part.texts is not None else part.table()
        if not started:
            if held is not None:
                block = _both(held, block)
            if _height(block) < FIRST:
                held = block
                continue
            started, held = True, None
        yield _drawn(rows, block)
    below = text(Result({}, found.blocks()), width=width, colour=colour)
    yield below if held is None else _drawn(rows, held) + below


def _both(first: Table | Texts, second: Table | Texts) -> Table | Texts:
    """Two blocks of rows as one."""
    if isinstance(first, Texts) and isinstance(second, Texts):
        pairs = zip(first.cells, second.cells, strict=True)
        return Texts(second.columns, tuple([[*above, *below] for above, below in pairs]))
    one = first.table() if isinstance(first, Texts) else first
    other = second.table() if isinstance(second, Texts) else second
    return Table(other.columns, (*one.rows, *other.rows))


def _height(block: Table | Texts) -> int:
    return len(block.cells[0]) if isinstance(block, Texts) else len(block.rows)


def _drawn(rows: Rows, block: Table | Texts) -> str:
    if isinstance(block, Texts):
        made = rows.plain(block)
        if made is not None:
            return made
        block = block.table()
    return "".join(f"{item}\n" for item in rows.lines(block))
