"""Results as text: tables that fit, prose, colour."""

from __future__ import annotations

from collections.abc import Iterator

from asyncconsole.model import Column, Line, Result, Span, Table, Text
from asyncconsole.render.width import cells, clean, cut

GAP = "  "
_CODES = {
    "id": "36",
    "name": "1",
    "own": "",
    "library": "2",
    "good": "32",
    "warn": "33",
    "bad": "1;31",
    "dim": "2",
    "heading": "4",
}


def text(result: Result, *, width: int | None, colour: bool) -> str:
    """All blocks of a result.

    Args:
        result: What a command answered.
        width: Columns of the terminal; None for as wide as it gets.
        colour: Write escape codes.
    """
    lines: list[str] = []
    for block in result.shown():
        if isinstance(block, Table):
            lines += table(block, width, colour)
        else:
            lines += prose(block, colour)
    return "".join(f"{item}\n" for item in lines)


def prose(block: Text, colour: bool) -> list[str]:
    """Lines as they are."""
    return [paint(item, colour).rstrip() for item in block.lines]


def paint(line: Line, colour: bool) -> str:
    """One line, with escape codes where they are wanted."""
    if not colour:
        return clean(line[0].text) if len(line) == 1 else "".join(clean(s.text) for s in line)
    return "".join(_paint(clean(span.text), span.style, colour) for span in line)


def _paint(content: str, style: str, colour: bool) -> str:
    code = _CODES.get(style, "") if colour else ""
    return f"\x1b[{code}m{content}\x1b[0m" if code and content else content


def table(block: Table, width: int | None, colour: bool) -> list[str]:
    """A table whose columns are as wide as their cells, or cut to fit ``width``."""
    columns = block.columns
    natural = [cells(column.title) for column in columns]
    measured: list[tuple[tuple[Line, ...], list[int]]] = []
    for row in _levels(block):
        taken = [_cells(piece) for piece in row]
        natural = list(map(max, natural, taken))
        measured.append((row, taken))
    widths = natural if width is None else fit(columns, natural, width)
    titles = tuple((Span(column.title, "heading"),) for column in columns)
    lines = [_row(titles, [cells(column.title) for column in columns], columns, widths, colour)]
    lines += [_row(row, taken, columns, widths, colour) for row, taken in measured]
    return lines


def _levels(block: Table) -> Iterator[tuple[Line, ...]]:
    """The lines of a table's rows; a row is as high as its highest cell."""
    for row in block.rows:
        height = max(map(len, row), default=1)
        if height == 1:
            yield tuple(cell[0] if cell else () for cell in row)
            continue
        for level in range(height):
            yield tuple(cell[level] if level < len(cell) else () for cell in row)


def fit(columns: tuple[Column, ...], widths: list[int], width: int) -> list[int]:
    """Column widths that fit, taking from the widest column that may be cut."""
    widths = list(widths)
    over = sum(widths) + len(GAP) * (len(widths) - 1) + 1 - width
    while over > 0:
        room = [
            (widths[index] - column.least, index)
            for index, column in enumerate(columns)
            if column.least and widths[index] > column.least
        ]
        if not room:
            break
        most, index = max(room)
        second = sorted(room)[-2][0] if len(room) > 1 else 0
        step = max(1, min(over, most - second if most > second else 1))
        widths[index] -= step
        over -= step
    return widths


def _cells(line: Line) -> int:
    if len(line) == 1:
        content = line[0].text
        return len(content) if content.isascii() else cells(clean(content))
    return sum(cells(clean(span.text)) for span in line)


def _row(
    pieces: tuple[Line, ...],
    taken: list[int],
    columns: tuple[Column, ...],
    widths: list[int],
    colour: bool,
) -> str:
    shown = []
    for line, used, column, width in zip(pieces, taken, columns, widths, strict=True):
        if used > width:
            line, used = _cut_line(line, width)  # noqa: PLW2901 - the rest is for what is shown
        text = paint(line, colour)
        padding = " " * (width - used)
        shown.append(padding + text if column.align == "right" else text + padding)
    return GAP.join(shown).rstrip()


def _cut_line(line: Line, most: int) -> tuple[Line, int]:
    """A line cut to ``most`` cells, and the cells it takes then."""
    shown: list[Span] = []
    used = 0
    for span in line:
        content = cut(clean(span.text), most - used)
        shown.append(Span(content, span.style))
        used += cells(content)
        if used >= most or content != clean(span.text):
            break
    return tuple(shown), used
