"""What ``top`` shows, as plain state, and what each key makes of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from asyncconsole.commands.sheets import Sheet, View
from asyncconsole.commands.views import GROUPS, TASKS, VIEWS

KEYS = (
    ("t l o", "tasks, locks, loops"),
    ("g", "tasks that are alike in one row, or each in its own"),
    ("↑ ↓ j k", "move; PgUp PgDn Home End, too"),
    ("Enter", "open a task, lock or loop; it is followed while it is open"),
    ("s < >", "sort by the next column, the one before, the one after"),
    ("r", "the other way round"),
    ("/", "filter: what the rows contain; Enter keeps it, Esc drops it"),
    ("space", "pause, or go on"),
    ("d", "deadlocks"),
    ("?", "this"),
    ("Esc q", "back, or leave; Ctrl-C leaves from everywhere"),
)
"""What the help says."""

LONGEST_PATTERN = 80


@dataclass(frozen=True, slots=True)
class Board:
    """What a person has chosen to see.

    Attributes:
        view: Name of the table.
        sorts: By which column, and whether falling, for tables where that was changed.
        pattern: What rows must contain.
        typing: True while the pattern is typed.
        paused: True while nothing is looked at.
        chosen: Key of the row that is marked.
        at: Its index, for when it has gone.
        first: Index of the first row in the window.
        opened: The command whose answer is shown instead of the table; "" for none.
        scroll: Lines of that answer, or of the help, above the window.
        help: True while the keys are explained.
        left: True once the person has had enough.
    """

    view: str = "tasks"
    sorts: Mapping[str, tuple[int, bool]] = field(default_factory=dict)
    pattern: str = ""
    typing: bool = False
    paused: bool = False
    chosen: str = ""
    at: int = 0
    first: int = 0
    opened: str = ""
    scroll: int = 0
    help: bool = False
    left: bool = False

    @property
    def table(self) -> View:
        """The table."""
        return VIEWS[self.view]

    @property
    def sort(self) -> tuple[int, bool]:
        """Index of the column that it is sorted by, and whether falling."""
        view = self.table
        return self.sorts.get(self.view, (view.sort, view.fields[view.sort].falling))


def press(board: Board, key: str, sheet: Sheet, page: int, lines: int) -> Board:
    """What a key makes of a board.

    Args:
        board: What is shown.
        key: See `asyncconsole.commands.keys.Keys`.
        sheet: The rows.
        page: How many of them the window shows.
        lines: How many lines what is opened has.
    """
    if key == "ctrl-c":
        return dataclasses.replace(board, left=True)
    if board.help:
        return _read(board, key, page, len(KEYS))
    if board.typing:
        return settle(_type(board, key), sheet, page)
    if board.opened:
        return _read(board, key, page, lines)
    if key in _MOVES:
        at = _MOVES[key](board.at, page, len(sheet.items))
        at = max(0, min(at, len(sheet.items) - 1))
        chosen = sheet.view.key(sheet.items[at]) if sheet.items else ""
        return settle(dataclasses.replace(board, at=at, chosen=chosen), sheet, page)
    return _command(board, key, sheet)


def settle(board: Board, sheet: Sheet, page: int) -> Board:
    """A board that fits the rows there are: the marked one is among them, and in the window."""
    at = sheet.find(board.chosen) if board.chosen else board.at
    at = max(0, min(board.at if at is None else at, len(sheet.items) - 1))
    chosen = sheet.view.key(sheet.items[at]) if sheet.items and board.chosen else ""
    first = max(0, min(board.first, at, len(sheet.items) - page))
    if at >= first + page:
        first = at - page + 1
    return dataclasses.replace(board, at=at, chosen=chosen, first=first)


_MOVES: dict[str, Callable[[int, int, int], int]] = {
    "up": lambda at, _page, _rows: at - 1,
    "k": lambda at, _page, _rows: at - 1,
    "down": lambda at, _page, _rows: at + 1,
    "j": lambda at, _page, _rows: at + 1,
    "pageup": lambda at, page, _rows: at - page,
    "pagedown": lambda at, page, _rows: at + page,
    "home": lambda _at, _page, _rows: 0,
    "end": lambda _at, _page, rows: rows - 1,
    "G": lambda _at, _page, rows: rows - 1,
}

_VIEW_KEYS = {"t": "tasks", "l": "locks", "o": "loops"}


def _command(board: Board, key: str, sheet: Sheet) -> Board:
    """A key that does something to the table."""
    if key in _VIEW_KEYS:
        return _turn(board, _VIEW_KEYS[key])
    if key == "tab":
        names = [*_VIEW_KEYS.values()]
        now = "tasks" if board.view == GROUPS.name else board.view
        return _turn(board, names[(names.index(now) + 1) % len(names)])
    if key == "g":
        return _turn(board, TASKS.name if board.view == GROUPS.name else GROUPS.name)
    if key in {"s", ">", "<", "right", "left", "r"}:
        return _sorted(board, key)
    if key == "enter" and sheet.items:
        opened = sheet.view.opens(sheet.items[min(board.at, len(sheet.items) - 1)])
        return dataclasses.replace(board, opened=opened, scroll=0)
    changes: dict[str, dict[str, object]] = {
        "d": {"opened": "deadlocks --quick", "scroll": 0},
        "/": {"typing": True},
        " ": {"paused": not board.paused},
        "?": {"help": True, "scroll": 0},
        "h": {"help": True, "scroll": 0},
        "q": {"left": True},
        "escape": {"pattern": ""} if board.pattern else {"left": True},
    }
    return dataclasses.replace(board, **changes.get(key, {}))  # type: ignore[arg-type]  # by field


def _turn(board: Board, view: str) -> Board:
    """Another table, from its top."""
    return dataclasses.replace(board, view=view, chosen="", at=0, first=0)


def _sorted(board: Board, key: str) -> Board:
    """Sort by another column, or the other way round."""
    sort, falling = board.sort
    fields = board.table.fields
    if key == "r":
        falling = not falling
    else:
        sort = (sort + (-1 if key in {"<", "left"} else 1)) % len(fields)
        falling = fields[sort].falling
    return dataclasses.replace(board, sorts={**board.sorts, board.view: (sort, falling)}, first=0)


def _type(board: Board, key: str) -> Board:
    """A key while the pattern is typed."""
    if key == "enter":
        return dataclasses.replace(board, typing=False)
    if key == "escape":
        return dataclasses.replace(board, typing=False, pattern="")
    pattern = board.pattern
    if key == "backspace":
        pattern = pattern[:-1]
    elif key == "ctrl-u":
        pattern = ""
    elif len(key) == 1 and key.isprintable() and len(pattern) < LONGEST_PATTERN:
        pattern += key
    return dataclasses.replace(board, pattern=pattern, first=0)


def _read(board: Board, key: str, page: int, lines: int) -> Board:
    """A key while something is opened, or the keys are explained."""
    if key in {"q", "escape", "left", "backspace", "enter"}:
        opened = board.opened if board.help else ""
        return dataclasses.replace(board, opened=opened, scroll=0, help=False)
    if key in _MOVES:
        last = max(0, lines - page)
        scroll = last if key in {"end", "G"} else _MOVES[key](board.scroll, page, lines)
        return dataclasses.replace(board, scroll=max(0, min(scroll, last)))
    if key == " ":
        return dataclasses.replace(board, paused=not board.paused)
    if key == "?":
        return dataclasses.replace(board, help=not board.help, scroll=0)
    return board
