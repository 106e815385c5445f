"""What may follow a command behind ``|``: the rows or lines of its answer, chosen and ordered.

A filter works on what a command says, not on how wide a terminal shows it: rows of its table,
with the heading kept, or lines of its prose. Words to look for are plain text: a pattern that
takes for ever would hold the program's interpreter.
"""

from __future__ import annotations

import argparse
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from asyncconsole.commands.command import OptionParser, nearest, unknown_option
from asyncconsole.model import Column, Line, Result, Span, Table, Text, UsageError

MOST = 200_000
"""Rows that are kept for sorting, or for the last ones."""

Row = tuple[tuple[Line, ...], ...]
"""Cells of a table; a line of prose is a row of one cell with one line."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter with its options.

    Attributes:
        pass_on: From rows to rows; told the columns, which prose has not.
    """

    pass_on: Callable[[AsyncIterator[Row], _Heading], AsyncIterator[Row]]
    counts: bool = False


class _Heading:
    """The columns of the table that is filtered; known with its first rows."""

    def __init__(self) -> None:
        self.columns: tuple[Column, ...] = ()


def split(line: str) -> list[str]:
    """A line in its parts between ``|``, but for those in quotes."""
    parts, start, quote, escaped = [], 0, "", False
    for index, character in enumerate(line):
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "|":
            parts.append(line[start:index])
            start = index + 1
    return [*parts, line[start:]]


def find(words: list[str]) -> Filter:
    """The filter that some words mean.

    Raises:
        UsageError: There is none, or its options are wrong.
    """
    if not words:
        msg = f"A filter must follow `|`: {', '.join(NAMES)}."
        raise UsageError(msg)
    name = _ALIASES.get(words[0], words[0])
    if name not in _KINDS:
        guess = nearest(words[0], [*NAMES, *_ALIASES])
        hint = f"Did you mean `{guess}`?" if guess else f"There are {', '.join(NAMES)}."
        msg = f"No filter `{words[0][:60]}`. {hint}"
        raise UsageError(msg)
    if "--json" in words:
        msg = "A document is not filtered here: leave out the filters, or --json."
        raise UsageError(msg)
    configure, make = _KINDS[name]
    parser = OptionParser(name, json=False)
    configure(parser)
    options, rest = parser.parse_known_args(words[1:])
    if rest:
        raise UsageError(unknown_option(name, rest[0], parser))
    return make(options)


async def applied(result: Result, filters: tuple[Filter, ...]) -> Result:
    """What is left of an answer behind all filters."""
    heading = _Heading()
    prose = _is_prose(result)
    rows = _lines(result) if prose else _rows(result, heading)
    for each in filters:
        rows = each.pass_on(rows, heading)
    kept: deque[Row] = deque(maxlen=MOST)
    async with aclosing(rows):  # type: ignore[type-var]  # all of them are generators
        async for row in rows:
            kept.append(row)
    block: Table | Text
    if heading.columns and kept and not filters[-1].counts:
        block = Table(heading.columns, tuple(kept))
    else:
        block = Text(tuple(line for row in kept for cell in row for line in cell))
    return Result({}, (block,), result.exit_code)


def _is_prose(result: Result) -> bool:
    return result.flow is None and not any(isinstance(b, Table) for b in result.shown())


async def _lines(result: Result) -> AsyncIterator[Row]:
    """The lines of an answer without a table."""
    for block in result.shown():
        if isinstance(block, Text):
            for line in block.lines:
                if any(span.text.strip() for span in line):
                    yield ((line,),)


async def _rows(result: Result, heading: _Heading) -> AsyncIterator[Row]:
    """The rows of an answer's tables; what stands around them is left out."""
    if result.flow is None:
        for block in result.shown():
            if isinstance(block, Table):
                heading.columns = heading.columns or block.columns
                for row in block.rows:
                    yield row
        return
    async with aclosing(result.flow.parts) as parts:  # type: ignore[type-var]  # a generator
        async for part in parts:
            table = part.table()
            heading.columns = table.columns
            for row in table.rows:
                yield row


def _text(row: Row) -> str:
    """A row as one could see it."""
    return "\n".join("".join(span.text for span in line) for cell in row for line in cell)


def _grep_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("word", metavar="WORD", nargs="+", help="plain text; any of several")
    parser.add_argument("-i", action="store_true", help="capitals don't matter")
    parser.add_argument("-v", action="store_true", help="those without it")


def _grep(options: argparse.Namespace) -> Filter:
    words = [word.casefold() if options.i else word for word in options.word]

    async def pass_on(rows: AsyncIterator[Row], _heading: _Heading) -> AsyncIterator[Row]:
        async for row in rows:
            text = _text(row)
            text = text.casefold() if options.i else text
            if any(word in text for word in words) != options.v:
                yield row

    return Filter(pass_on)


def _number_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("number", metavar="N", nargs="?", type=int, default=10, help="how many")
    parser.add_argument("-n", metavar="N", type=int, help="the same")


def _number(options: argparse.Namespace) -> int:
    number: int = options.number if options.n is None else options.n
    return abs(number)  # `head -5`, as in a shell


def _head(options: argparse.Namespace) -> Filter:
    number = _number(options)

    async def pass_on(rows: AsyncIterator[Row], _heading: _Heading) -> AsyncIterator[Row]:
        left = number
        async with aclosing(rows):  # type: ignore[type-var]  # a generator
            while left and (row := await anext(rows, None)) is not None:
                left -= 1
                yield row

    return Filter(pass_on)


def _tail(options: argparse.Namespace) -> Filter:
    number = _number(options)

    async def pass_on(rows: AsyncIterator[Row], _heading: _Heading) -> AsyncIterator[Row]:
        last: deque[Row] = deque(maxlen=min(number, MOST))
        async for row in rows:
            last.append(row)
        for row in last:
            yield row

    return Filter(pass_on)


def _sort_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("column", metavar="COLUMN", nargs="*", help="its heading; else the first")
    parser.add_argument("-r", action="store_true", help="the other way round")


def _sort(options: argparse.Namespace) -> Filter:
    wanted = " ".join(options.column)

    async def pass_on(rows: AsyncIterator[Row], heading: _Heading) -> AsyncIterator[Row]:
        kept: deque[Row] = deque(maxlen=MOST)
        async for row in rows:
            kept.append(row)
        column = _column(wanted, heading.columns) if wanted else 0
        for row in sorted(kept, key=lambda row: _worth(_text(row[column:][:1])), reverse=options.r):
            yield row

    return Filter(pass_on)


def _column(wanted: str, columns: tuple[Column, ...]) -> int:
    titles = [column.title for column in columns]
    found = [n for n, title in enumerate(titles) if title.startswith(wanted.upper())]
    if not found:
        has = f"The columns are {', '.join(titles)}." if titles else "This answer has no columns."
        msg = f"sort: no column `{wanted[:60]}`. {has}"
        raise UsageError(msg)
    return found[0]


_AMOUNT = re.compile(r"(?:\W*|L)(\d[\d ]*(?:\.\d+)?)\s*(µs|ms|s|min|h|d)?\b")
_UNITS = {"µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def _worth(text: str) -> tuple[int, float, str]:
    """Where a cell belongs: numbers and durations by their size, then words."""
    found = _AMOUNT.match(text[:40])
    if found is None:
        return 1, 0.0, text.casefold()
    amount = float(re.sub(r"\s", "", found[1])) * _UNITS.get(found[2] or "", 1.0)
    return 0, amount, text.casefold()


def _no_options(_parser: argparse.ArgumentParser) -> None:
    """The options of a filter that has none."""


def _count(_options: argparse.Namespace) -> Filter:
    async def pass_on(rows: AsyncIterator[Row], heading: _Heading) -> AsyncIterator[Row]:
        number = 0
        async for _ in rows:
            number += 1
        heading.columns = ()
        yield (((Span(str(number)),),),)

    return Filter(pass_on, counts=True)


_KINDS: dict[
    str, tuple[Callable[[argparse.ArgumentParser], Any], Callable[[argparse.Namespace], Filter]]
] = {
    "grep": (_grep_options, _grep),
    "head": (_number_options, _head),
    "tail": (_number_options, _tail),
    "sort": (_sort_options, _sort),
    "count": (_no_options, _count),
}
_ALIASES = {"wc": "count"}

NAMES = tuple(_KINDS)
"""Filters there are."""


def helped() -> Iterator[str]:
    """A line for each filter."""
    yield "grep [-i] [-v] WORD...   rows or lines with any of the words, as plain text"
    yield "head [N], tail [N]       the first or last ones; 10"
    yield "sort [-r] [COLUMN]       by a column's heading"
    yield "count                    how many there are"
