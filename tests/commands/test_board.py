"""What `top` shows and what its keys do, without a terminal."""

from __future__ import annotations

import dataclasses

import pytest

from asyncconsole.commands.board import KEYS, Board, press, settle
from asyncconsole.commands.sheets import arrange
from asyncconsole.model import Frame, Loop, Resource, Snapshot, Task, Wait
from asyncconsole.model.resource import Holder, Waiter
from asyncconsole.render.board import Head, Window, draw, page
from asyncconsole.render.width import cells


def task(number, name, since, *, state="waiting", place=22):
    wait = Wait("lock", "ACCOUNTS['bob']", "Lock", "L2", since=since)
    frames = (Frame("/app/bank.py", place, "transfer"),)
    return Task(number, name, state, "transfer", 1, wait=wait, frames=frames)


SNAPSHOT = Snapshot(
    4242,
    "bank.py",
    "3.13",
    "now",
    uptime=190.0,
    loops=(
        Loop(1, "asyncio.Loop", "MainThread", running=True, task=3, tasks=40, lag=0.0003),
        Loop(2, "asyncio.Loop", "worker", running=True, tasks=0, lag=4.1, blocked=4.1),
    ),
    tasks=(
        *(task(number, f"conn-{number}", float(number)) for number in range(1, 39)),
        task(39, "a name of\x1b[31m very many 文字 and words " * 8, 400.0, place=23),
        task(40, "näme-🎉", 0.5, place=23),
    ),
    total=40,
    resources=(
        Resource(
            "L2", "Lock", "ACCOUNTS['bob']", "locked", locked=True,
            holders=(Holder(3, "conn-3", "/app/bank.py", 20, "transfer"),),
            waiters=(Waiter(1, "conn-1", 1, 12.0), Waiter(2, "conn-2", 2, 11.0)),
        ),
        Resource("L10", "Event", "READY", "not set", locked=True, waiters=(Waiter(5, "c", 1, 3.0),)),
    ),
)  # fmt: skip
HEAD = Head("bank.py", 4242, 190.0, 40, 2, 4.1, "12:04:11", ("BLOCKED 4.1 s: loop 2 at x.py:1 f",))


class View:
    """A person before a window."""

    def __init__(self, width=80, height=24, *, colour=False, snapshot=SNAPSHOT, answer=()):
        self.window = Window(width, height, colour)
        self.snapshot = snapshot
        self.answer = list(answer)
        self.board = Board()

    def sheet(self):
        board = self.board
        sort, falling = board.sort
        return arrange(board.table, self.snapshot, board.pattern, sort, falling=falling)

    def press(self, *keys):
        for key in keys:
            rows = page(self.window, HEAD)
            self.board = press(self.board, key, self.sheet(), rows, len(self.answer))
        return self

    def lines(self):
        sheet = self.sheet()
        self.board = settle(self.board, sheet, page(self.window, HEAD))
        return draw(self.board, sheet, HEAD, self.answer, self.window)

    def marked(self):
        (found,) = [text for text in self.lines() if text.startswith("> ")]
        return found


@pytest.mark.parametrize("size", [(40, 10), (60, 12), (80, 24), (120, 40), (200, 50), (20, 5)])
@pytest.mark.parametrize("keys", ["", "g", "l", "o", "?", "/conn", "jjj", "G", "s", "d"])
def test_every_window_is_filled_and_nothing_is_wider(size, keys):
    view = View(*size, answer=["line"] * 100).press(*keys)
    lines = view.lines()
    assert len(lines) == size[1]
    assert max(map(cells, lines)) < size[0]
    assert "\x1b" not in "".join(lines)


def test_the_first_lines_tell_how_the_program_is():
    first, alarm, status, *_ = View().lines()
    assert first.startswith("bank.py · pid 4242 · 40 tasks · lag 4.1 s · 2 loops · up 3 min 10 s")
    assert first.endswith("12:04:11")
    assert alarm == "! BLOCKED 4.1 s: loop 2 at x.py:1 f"
    assert status == "tasks (40)  by SINCE ▼"


def test_the_longest_wait_is_first_and_other_columns_can_be():
    view = View()
    assert " a name of" in view.marked()
    assert " 39 " in view.marked()
    assert view.press("r").marked().split()[1] == "40"
    assert view.press("s").lines()[2] == "tasks (40)  by WHERE ▲"
    assert view.press(">").lines()[2] == "tasks (40)  by ID ▲"
    assert view.marked().split()[1] == "1"
    assert view.press("<", "left").lines()[2] == "tasks (40)  by SINCE ▼"


def test_a_marked_row_stays_marked_when_it_moves():
    view = View().press("down", "j")
    assert view.marked().split()[1] == "37"
    view.press("r")
    assert view.marked().split()[1] == "37"
    assert view.board.at == 37
    view.snapshot = Snapshot(1, "", "", "", tasks=SNAPSHOT.tasks[:5])
    assert view.marked().split()[1] == "5"  # it has ended: the row in its place


def test_pages_and_ends():
    view = View(height=15)
    rows = page(view.window, HEAD)
    assert view.press("end").marked().split()[1] == "40"
    assert view.press("home").marked().split()[1] == "39"
    assert view.press("pagedown").board.at == rows
    assert view.press("pageup", "up").board.at == 0


def test_a_filter_is_typed_kept_and_dropped():
    view = View().press("/", *"CONN-1x", "backspace", "7")
    assert "filter: CONN-17_" in view.lines()[2]
    assert view.press("enter").lines()[2] == "tasks (1 of 40)  by SINCE ▼  filter: CONN-17"
    assert view.marked().split()[1] == "17"
    view.press("escape")
    assert not view.board.left
    assert view.lines()[2] == "tasks (40)  by SINCE ▼"
    assert view.press("/", *"zzz", "enter").lines()[4] == "  nothing with zzz"
    assert view.press("escape", "escape").board.left


def test_views_and_what_enter_opens():
    view = View()
    assert view.press("enter").board.opened == "where 39"
    assert view.press("escape", "l").lines()[2] == "locks (2)  by WAITERS ▼"
    assert "conn-3 (3)  bank.py" in view.marked()
    assert view.press("enter").board.opened == "lock L2"
    assert view.press("q", "o", "down", "enter").board.opened == "stacktrace worker"
    assert view.press("q", "tab").lines()[2].startswith("tasks (40)")
    assert view.press("d").board.opened == "deadlocks --quick"
    assert view.press("q").board.opened == ""
    assert view.press("q").board.left


def test_what_was_not_looked_at_yet_is_not_said_to_be_none():
    sheet = dataclasses.replace(View(snapshot=Snapshot(1, "", "", "")).sheet(), read=False)
    lines = draw(Board(), sheet, HEAD, [], Window(80, 24, colour=False))
    assert lines[2].startswith("tasks (...)")
    assert lines[4] == "  ..."


def test_alike_tasks_are_counted():
    view = View().press("g")
    assert view.lines()[2] == "groups (2)  by TASKS ▼"
    assert view.marked().split()[:2] == [">", "38"]
    assert view.press("enter").board.opened == "where 1"
    assert view.press("escape", "g").lines()[2].startswith("tasks (40)")


def test_what_is_opened_can_be_scrolled():
    view = View(height=10, answer=[f"line {number}" for number in range(30)]).press("enter")
    assert view.lines()[4:8] == ["line 0", "line 1", "line 2", "line 3"]
    assert "line 1" in view.press("j").lines()[4]
    assert view.press("end").lines()[8] == "line 29"
    assert view.press("end", "down", "down").lines()[8] == "line 29"
    assert view.press("home", "up").lines()[4] == "line 0"


def test_help_names_every_key_and_can_be_scrolled():
    view = View(height=30).press("?")
    assert all(any(meaning in text for text in view.lines()) for _, meaning in KEYS)
    small = View(height=10).press("?", "end")
    assert any(KEYS[-1][1] in text for text in small.lines())
    assert small.press("?").lines()[2].startswith("tasks")


def test_pause_says_so_and_ctrl_c_leaves_from_everywhere():
    view = View().press(" ")
    assert view.lines()[2].endswith("PAUSED")
    for keys in ("", "?", "/", "d"):
        assert View().press(*keys, "ctrl-c").board.left


def test_colours_mark_the_chosen_row_over_its_whole_width():
    lines = View(colour=True).lines()
    (marked,) = [text for text in lines if "\x1b[7m" in text]
    assert cells(marked.removeprefix("\x1b[7m").removesuffix("\x1b[0m")) == 79
