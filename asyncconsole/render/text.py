"""Results as text: tables that fit, prose, colour."""

from __future__ import annotations

import re
from collections.abc import Iterator

from asyncconsole.model import Column, Line, Result, Span, Table, Text, Texts
from asyncconsole.render.width import cells, clean, cut

GAP = "  "
RULE = 100
"""Cells of a rule across a wide page."""

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
            lines += prose(block, width, colour)
    return "".join(f"{item}\n" for item in lines)


def prose(block: Text, width: int | None, colour: bool) -> list[str]:
    """Lines as they are; those too long for the terminal are broken between words."""
    found = []
    for line in block.lines:
        if len(line) == 1 and line[0].style == "rule":
            found.append(
                paint((Span(line[0].text * min(RULE, (width or RULE + 1) - 1), "dim"),), colour)
            )
        elif width is None or _cells(line) < width:
            found.append(paint(line, colour).rstrip())
        else:
            found += [paint(part, colour).rstrip() for part in wrap(line, width)]
    return found


def wrap(line: Line, width: int) -> Iterator[Line]:
    """A line in pieces of less than ``width`` cells, broken at spaces, indented alike."""
    text = "".join(clean(span.text) for span in line)
    indent = min(len(text) - len(text.lstrip()), width // 2)
    part: list[Span] = []
    used = 0
    for span in line:
        for word in re.findall(r"\s+|\S+", clean(span.text)):
            size = cells(word)
            if used + size >= width and used > indent:
                yield tuple(part)
                part, used = [Span(" " * indent)], indent
                if word.isspace():
                    continue
            part.append(Span(word, span.style))
            used += size
    yield tuple(part)


def paint(line: Line, colour: bool) -> str:
    """One line, with escape codes where they are wanted."""
    if not colour:
        return clean(line[0].text) if len(line) == 1 else "".join(clean(s.text) for s in line)
    return "".join(_paint(clean(span.text), span.style, colour) for span in line)


def _paint(content: str, style: str, colour: bool) -> str:
    code = _CODES.get(style, "") if colour else ""
    return f"\x1b[{code}m{content}\x1b[0m" if code and content else content


def table(block: Table, width: int | None, colour: bool) -> list[str]:
    """A table whose columns are as wide as their cells, or made to fit ``width``."""
    return Rows(width, colour).lines(block)


class Rows:
    """A table that may come in parts; columns grow where a later part needs it.

    To fit, columns that can be spared go first, then cells fold, then they are cut; where
    that is not enough, each row becomes a record, a cell to a line.

    Args:
        width: Columns of the terminal; None for as wide as it gets.
        colour: Write escape codes.
    """

    def __init__(self, width: int | None, colour: bool) -> None:
        self._width = width
        self._colour = colour
        self._widths: list[int] | None = None
        self._spare = False
        self._folds = False
        self._records = False

    def lines(self, block: Table) -> list[str]:
        """The next rows; before the first ones, the heading."""
        drawn = _Drawing(block.columns, list(_levels(block)))
        drawn = self._fitted(drawn)
        head = self._widths is None
        natural = drawn.widths
        if self._widths is not None:
            natural = list(map(max, natural, self._widths))
        self._widths = natural
        widths = natural if self._width is None else fit(drawn.columns, natural, self._width)
        if self._width is not None and (self._records or _total(widths) >= self._width):
            self._records = True
            return list(_recorded(block, self._width, self._colour))
        lines = []
        if head:
            titles = tuple((Span(column.title, "heading"),) for column in drawn.columns)
            sizes = [cells(column.title) for column in drawn.columns]
            lines.append(_row(titles, sizes, drawn.columns, widths, self._colour))
        for row, taken in zip(drawn.rows, drawn.taken, strict=True):
            lines.append(_row(row, taken, drawn.columns, widths, self._colour))
        return lines

    def plain(self, block: Texts) -> str | None:
        """The next rows as lines, made in one go; as `lines` would.

        Returns:
            None where only `lines` can: cells must fit, be coloured or be cleaned.
        """
        if self._width is not None or self._colour:
            return None
        natural = [len(column.title) for column in block.columns]
        for index, column in enumerate(block.cells):
            joined = "".join(column)
            if not joined.isprintable():
                return None
            if not joined.isascii() and any(cells(character) != 1 for character in set(joined)):
                return None
            natural[index] = max(natural[index], max(map(len, column), default=0))
        head = self._widths is None
        if self._widths is not None:
            natural = list(map(max, natural, self._widths))
        self._widths = natural
        pieces = [
            f"%{'' if column.align == 'right' else '-'}{width}s"
            for column, width in zip(block.columns, natural, strict=True)
        ]
        form = GAP.join(pieces)
        rows = list(zip(*block.cells, strict=True))
        if head:
            rows.insert(0, tuple(column.title for column in block.columns))
        return "".join([f"{(form % row).rstrip()}\n" for row in rows])

    def _fitted(self, drawn: _Drawing) -> _Drawing:
        """Without what can be spared, and folded, where it must be or was before."""
        if self._width is None:
            return drawn
        first = self._widths is None
        if self._spare or (first and drawn.total >= self._width):
            self._spare = True
            drawn = drawn.without_spare()
        if self._folds or (first and drawn.total >= self._width):
            self._folds = True
            drawn = _Drawing(drawn.columns, list(_folded(drawn.rows)))
        return drawn


class _Drawing:
    """Rows of one line each, and the cells that every piece takes."""

    def __init__(self, columns: tuple[Column, ...], rows: list[tuple[Line, ...]]) -> None:
        self.columns = columns
        self.rows = rows
        self.taken = [[_cells(piece) for piece in row] for row in rows]
        self.widths = [cells(column.title) for column in columns]
        if self.taken:
            widest = map(max, zip(*self.taken, strict=True))
            self.widths = list(map(max, self.widths, widest))

    @property
    def total(self) -> int:
        """Cells of the whole table."""
        return _total(self.widths)

    def without_spare(self) -> _Drawing:
        """The same without the columns that can be spared."""
        keep = [index for index, column in enumerate(self.columns) if not column.spare]
        columns = tuple(self.columns[index] for index in keep)
        return _Drawing(columns, [tuple(row[index] for index in keep) for row in self.rows])


def _total(widths: list[int]) -> int:
    """Cells of a table with such columns."""
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _recorded(block: Table, width: int, colour: bool) -> Iterator[str]:
    """Rows as records, for a terminal that is too narrow for the table."""
    kept = [(index, column) for index, column in enumerate(block.columns) if not column.spare]
    label = max(cells(column.title) for _, column in kept)
    room = max(8, width - label - len(GAP))
    for row in block.rows:
        for index, column in kept:
            title = paint((Span(column.title, "heading"),), colour)
            title += " " * (label - cells(column.title))
            for line in row[index]:
                for part in wrap(line, room):
                    shown, _ = _cut_line(part, room - 1)  # a word longer than that
                    yield (title + GAP + paint(shown, colour)).rstrip()
                    title = " " * label
        yield ""


def _folded(rows: list[tuple[Line, ...]]) -> Iterator[tuple[Line, ...]]:
    """Rows with their pieces broken where they may fold."""
    for row in rows:
        pieces = [_parts(piece) for piece in row]
        for level in range(max(map(len, pieces), default=1)):
            yield tuple(parts[level] if level < len(parts) else () for parts in pieces)


def _parts(piece: Line) -> list[Line]:
    """A piece in the parts between its folds; the later ones are indented."""
    parts: list[list[Span]] = [[]]
    for span in piece:
        if span.style == "fold":
            parts.append([Span("  ")])
        else:
            parts[-1].append(span)
    return [tuple(part) for part in parts]


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
    over = _total(widths) + 1 - width
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
        if used < width:
            padding = " " * (width - used)
            text = padding + text if column.align == "right" else text + padding
        shown.append(text)
    return GAP.join(shown).rstrip()


def _cut_line(line: Line, most: int) -> tuple[Line, int]:
    """A line cut to ``most`` cells, and the cells it takes then.

    A number at its end, as in ``Lock ACCOUNTS['alice'] (L2)``, stays: it is what one types,
    and tells things of one name apart.
    """
    last = line[-1] if line else Span("")
    number = _NUMBER.search(last.text)
    if number is None or len(number[0]) * 3 > most or _cells(line) <= most:
        return _cut_spans(line, most)
    head = (*line[:-1], Span(last.text[: number.start()], last.style))
    shown, used = _cut_spans(head, most - len(number[0]))
    return (*shown, Span(number[0], last.style)), used + len(number[0])


_NUMBER = re.compile(r" \(L?[0-9]+\)$")


def _cut_spans(line: Line, most: int) -> tuple[Line, int]:
    shown: list[Span] = []
    used = 0
    for span in line:
        content = cut(clean(span.text), most - used)
        shown.append(Span(content, span.style))
        used += cells(content)
        if used >= most or content != clean(span.text):
            break
    return tuple(shown), used
