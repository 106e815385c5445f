"""The window of ``top`` as lines: from a board, its rows, and how the program is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asyncconsole.commands.board import KEYS, Board
from asyncconsole.commands.sheets import Sheet
from asyncconsole.model import Column, Line, Span, Table, line
from asyncconsole.render.text import Rows, paint
from asyncconsole.render.width import cells, clean, cut

NARROW = 64
"""Columns of a window below which tables lose some of theirs."""

SAMPLE = 100
"""Rows that the widths of columns are made from, besides those in the window."""

_MARK = "> "
"""In front of the row that is chosen; in colours it is reversed as well."""

_FOOTER = (
    "q quit",
    "? help",
    "t tasks",
    "l locks",
    "o loops",
    "Enter open",
    "/ filter",
    "s sort",
    "g group",
    "space pause",
)
_READING = ("Esc back", "? help", "↑↓ scroll", "space pause")


@dataclass(frozen=True, slots=True)
class Head:
    """How the program is, for the first lines.

    Attributes:
        program: What runs, in a word.
        pid: Its process.
        uptime: Seconds since it started.
        tasks: How many there are.
        loops: How many there are.
        lag: Seconds that the slowest loop is late; None when that is not known.
        clock: The time of day.
        alarms: What is wrong, a few words each, the worst first.
    """

    program: str
    pid: int
    uptime: float = 0.0
    tasks: int = 0
    loops: int = 0
    lag: float | None = None
    clock: str = ""
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """A window's size, and whether it has colours."""

    width: int
    height: int
    colour: bool


def page(window: Window, head: Head) -> int:
    """How many rows fit below the first lines."""
    return max(1, window.height - 4 - bool(head.alarms))


def draw(
    board: Board, sheet: Sheet, head: Head, answer: Sequence[str], window: Window
) -> list[str]:
    """Every line of the window, each narrower than it.

    Args:
        board: What the person has chosen.
        sheet: The rows of its table.
        head: How the program is.
        answer: Lines of what is opened.
        window: How large it is.
    """
    lines = [_head(head, window)]
    if head.alarms:
        lines.append(_fitted(line(("! " + "  ! ".join(head.alarms), "bad")), window))
    lines.append(_fitted(_status(board, sheet), window))
    room = page(window, head)
    if board.help:
        width = max(cells(keys) for keys, _ in KEYS)
        lines.append("")
        for keys, meaning in KEYS[board.scroll : board.scroll + room]:
            padding = " " * (width - cells(keys))
            lines.append(_fitted(line((f"  {keys}{padding}", "name"), f"  {meaning}"), window))
        footer: tuple[str, ...] = ("Esc back", "↑↓ scroll")
    elif board.opened:
        lines.append("")
        lines += answer[board.scroll : board.scroll + room]
        footer = _READING
    else:
        lines += _table(board, sheet, room, window)
        footer = _FOOTER
    lines += [""] * (window.height - 1 - len(lines))
    if board.typing:
        footer = ("Enter keeps it", "Esc drops it")
    return [*lines[: window.height - 1], _fitted(_footer(footer, window), window)]


def _head(head: Head, window: Window) -> str:
    """The first line: who it is, and how late."""
    if not head.pid:
        return _fitted(line(("looking at the program ...", "dim")), window)
    facts = [head.program, f"pid {head.pid}", _counted(head.tasks, "task")]
    if head.lag is not None:
        facts.append(f"lag {head.lag * 1000:.1f} ms" if head.lag < 1 else f"lag {head.lag:.1f} s")
    facts += [_counted(head.loops, "loop"), f"up {_spell(head.uptime)}"]
    text = " · ".join(clean(fact) for fact in facts)
    room = window.width - 1 - cells(text) - cells(head.clock)
    if room >= 2:  # noqa: PLR2004 - a gap that is seen as one
        text += " " * room + head.clock
    return _fitted(line((text, "name")), window)


def _status(board: Board, sheet: Sheet) -> Line:
    """What is to be seen: which table, how sorted, filtered, paused."""
    paused = (Span("  PAUSED", "warn"),) if board.paused else ()
    if board.help:
        return line(("Keys", "heading"))
    if board.opened:
        return (*line(("> ", "dim"), (board.opened, "name")), *paused)
    arrow = "▼" if sheet.falling else "▲"
    shown = f"{len(sheet.items)} of {sheet.total}" if board.pattern else str(sheet.total)
    shown = shown if sheet.read else "..."
    what = f"{sheet.view.name} ({shown})"
    by = f"  by {sheet.view.fields[sheet.sort].column.title} {arrow}"
    found = [*line((what, "name"), (by, "dim"))]
    if board.pattern or board.typing:
        found.append(Span(f"  filter: {board.pattern}{'_' if board.typing else ''}", "warn"))
    return (*found, *paused)


def _table(board: Board, sheet: Sheet, room: int, window: Window) -> list[str]:
    """The heading and the rows in the window, the chosen one marked."""
    fields = [
        (_titled(each.column, sheet, index), each.cell)
        for index, each in enumerate(sheet.view.fields)
        if each.narrow or window.width >= NARROW
    ]
    seen = sheet.items[board.first : board.first + room]
    # The first rows as well, so that the columns seldom change their widths.
    rows = [tuple([(cell(item),) for _, cell in fields]) for item in (*sheet.items[:SAMPLE], *seen)]
    columns = tuple([column for column, _ in fields])
    width = window.width - len(_MARK)
    while True:
        block = Table(columns, tuple(rows))
        plain = Rows(width, colour=False).lines(block)
        if len(columns) == 1 or max(map(cells, plain)) < width:
            break
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    lines = Rows(width, colour=True).lines(block) if window.colour else plain
    blank = " " * len(_MARK)
    found = [f"{blank}{lines[0]}"]
    shown = zip(lines[len(lines) - len(seen) :], plain[len(plain) - len(seen) :], strict=True)
    for number, (text, bare) in enumerate(shown, board.first):
        if number != board.at:
            found.append(f"{blank}{text}")
        elif window.colour:
            padding = " " * (width - 1 - cells(bare))
            found.append(f"\x1b[7m{_MARK}{bare}{padding}\x1b[0m")
        else:
            found.append(f"{_MARK}{bare}")
    if not sheet.read:
        found.append("  ...")
    elif not seen:
        found.append(f"  nothing with {board.pattern}" if board.pattern else "  none")
    return found


def _titled(column: Column, sheet: Sheet, index: int) -> Column:
    """A column whose heading says when the rows are sorted by it."""
    if index != sheet.sort:
        return column
    arrow = "▼" if sheet.falling else "▲"
    return Column(f"{column.title}{arrow}", column.align, column.least, column.spare)


def _footer(words: Sequence[str], window: Window) -> Line:
    """As many of the keys as fit."""
    spans: list[Span] = []
    used = 0
    for word in words:
        used += cells(word) + 2
        if used > window.width and spans:
            break
        key, _, meaning = word.partition(" ")
        spans += [Span(key, "name"), Span(f" {meaning}  ", "dim")]
    return tuple(spans)


def _fitted(content: Line, window: Window) -> str:
    """One line, cut to the window."""
    found: list[Span] = []
    left = window.width - 1
    for span in content:
        text = cut(clean(span.text), left)
        found.append(Span(text, span.style))
        left -= cells(text)
        if left <= 0:
            break
    return paint(tuple(found), window.colour).rstrip()


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _spell(seconds: float) -> str:
    """A duration in its two largest units."""
    minutes, left = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"
