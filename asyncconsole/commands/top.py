"""``top``: a live view of tasks, locks and loops, over the whole window."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import math
import time
from collections.abc import Sequence

from asyncconsole.capture.slices import drive
from asyncconsole.commands.board import Board, press, settle
from asyncconsole.commands.command import Command
from asyncconsole.commands.keys import Keys
from asyncconsole.commands.live import Looks, Manner, Seen
from asyncconsole.commands.port import Target, Terminal
from asyncconsole.commands.sheets import Sheet, arranging
from asyncconsole.model import ConsoleError, Result, Snapshot, UsageError
from asyncconsole.render.board import Head, Window, draw, page
from asyncconsole.render.painter import Painter
from asyncconsole.render.width import cut

SHORTEST, LONGEST = 0.1, 3600.0
"""Seconds from one look to the next."""

SHARED = 0.75
"""Part of that time that somebody else's look may be old."""

REST = 3.0
"""A look that takes so many seconds of CPU is followed by so many times as long without one."""

VERDICTS = 5.0
"""Seconds from one search for deadlocks to the next."""

DIAGNOSED = 5_000
"""Tasks of a program up to which deadlocks are searched for without being asked."""

_REFRESH = "refresh"
"""The key that news from the program press."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "seconds",
        type=float,
        nargs="?",
        default=1.0,
        metavar="S",
        help=f"seconds from one look to the next (default 1, {SHORTEST:g} at least)",
    )


async def _run(target: Target, options: argparse.Namespace, terminal: Terminal) -> Result:
    if options.json or not terminal.paints:
        msg = (
            "top needs a terminal that it can draw on (a telnet or `connect`, and no TERM=dumb). "
            "`watch 1 ps` prints one answer after the other."
        )
        raise UsageError(msg)
    seconds = options.seconds
    if not math.isfinite(seconds) or not 0 < seconds <= LONGEST:
        msg = f"top: S takes seconds, {SHORTEST:g} to {LONGEST:g}."
        raise UsageError(msg)
    with terminal.take_keys(screen=True) as keys:
        keys.claim()  # whoever knows it types faster than it comes
        await _Top(target, options.looks, terminal, keys, max(SHORTEST, seconds)).run()
    return Result({})


class _Top:
    """One person's view."""

    def __init__(
        self, target: Target, looks: Looks, terminal: Terminal, keys: Keys, seconds: float
    ) -> None:
        self._target = target
        self._looks = looks
        self._terminal = terminal
        self._keys = keys
        self._seconds = seconds
        self._board = Board()
        self._painter = Painter()
        self._loops: Snapshot | None = None
        self._tables: dict[str, Snapshot] = {}
        self._sheet: Sheet | None = None
        self._sheet_of: tuple[object, ...] = ()
        self._arranged: Snapshot | None = None
        self._answer: tuple[str, Seen] = "", Seen()
        self._error = ""
        self._deadlocks = 0
        self._wanted = asyncio.Event()

    async def run(self) -> None:
        """Until the person has had enough, or has left."""
        looking = asyncio.ensure_future(self._look())
        judging = asyncio.ensure_future(self._judge())
        try:
            while not self._board.left:
                await self._show()
                key = await self._keys.get()
                sheet = await self._rows()
                if looking.done():
                    looking.result()
                self._press(key, sheet)
        except EOFError:
            pass  # the session ends with it
        finally:
            looking.cancel()
            judging.cancel()

    def _press(self, key: str, sheet: Sheet) -> None:
        if key in {_REFRESH, "resize"}:
            return
        if key == "ctrl-l":
            self._painter.forget()
            return
        before = self._board
        window, head = self._window(), self._head()
        lines = len(self._lines(window))
        self._board = press(before, key, sheet, page(window, head), lines)
        if (self._board.view, self._board.opened) != (before.view, before.opened):
            self._wanted.set()

    # What is seen.

    async def _show(self) -> None:
        sheet = await self._rows()
        window, head = self._window(), self._head()
        self._board = settle(self._board, sheet, page(window, head))
        lines = draw(self._board, sheet, head, self._lines(window), window)
        self._terminal.write(self._painter.paint(lines, window.width, window.height))
        await self._terminal.drain()

    def _window(self) -> Window:
        terminal = self._terminal
        return Window(terminal.width, terminal.height, terminal.colour)

    async def _rows(self) -> Sheet:
        """The rows of the table; made anew when something has changed."""
        board = self._board
        scope = board.table.scope
        snapshot = self._loops if scope == "loops" else self._tables.get(scope)
        sort, falling = board.sort
        wanted = (board.view, board.pattern, sort, falling)
        if self._sheet is None or snapshot is not self._arranged or wanted != self._sheet_of:
            seen = snapshot or Snapshot(0, "", "", "")
            steps = arranging(board.table, seen, board.pattern, sort, falling=falling)
            self._sheet = dataclasses.replace(await drive(steps), read=snapshot is not None)
            self._arranged, self._sheet_of = snapshot, wanted
        return self._sheet

    def _lines(self, window: Window) -> Sequence[str]:
        """What is opened."""
        line, seen = self._answer
        if line != self._board.opened:
            return ["..."] if self._board.opened else []
        error = [cut(seen.error, window.width - 1)] if seen.error else []
        return [*seen.text.splitlines(), *error]

    def _head(self) -> Head:
        snapshot = self._loops
        if snapshot is None:
            return Head("", 0, alarms=(self._error,) if self._error else ())
        stalls = [stall for stall in self._target.stalls() if stall.ongoing]
        alarms = [
            f"BLOCKED {stall.duration:.1f} s: loop {stall.loop} at {stall.culprit}"
            for stall in sorted(stalls, key=lambda stall: -stall.duration)
        ]
        if self._deadlocks:
            count = "1 deadlock" if self._deadlocks == 1 else f"{self._deadlocks} deadlocks"
            alarms.append(f"{count}: press d")
        if self._error:
            alarms.append(self._error)
        return Head(
            snapshot.program,
            snapshot.pid,
            snapshot.uptime,
            sum(loop.tasks for loop in snapshot.loops),
            len(snapshot.loops),
            max((loop.lag for loop in snapshot.loops if loop.lag is not None), default=None),
            time.strftime("%H:%M:%S"),
            tuple(alarms),
        )

    # Looking at the program, beside the person.

    async def _look(self) -> None:
        """Look again and again; each look presses a key."""
        loop = asyncio.get_running_loop()
        while True:
            began, cpu = loop.time(), time.thread_time()
            asked = self._wanted.is_set() or self._loops is None
            self._wanted.clear()
            if asked or not self._board.paused:
                try:
                    await self._look_once()
                    self._error = ""
                except ConsoleError as error:
                    self._error = str(error)
                finally:
                    self._keys.put(_REFRESH)
            cost = time.thread_time() - cpu
            pause = max(self._seconds - (loop.time() - began), REST * cost)
            waiting = asyncio.ensure_future(self._wanted.wait())
            try:
                await asyncio.wait({waiting}, timeout=pause)
            finally:
                waiting.cancel()

    async def _look_once(self) -> None:
        """See what the board shows."""
        board, fresh = self._board, self._seconds * SHARED
        self._loops = await self._looks.snapshot("loops", fresh)
        if board.opened:
            window = self._window()
            manner = Manner(width=window.width, colour=window.colour)
            self._answer = board.opened, await self._looks.answer(board.opened, fresh, manner)
            return
        scope = board.table.scope
        if scope != "loops":  # the one of another table is let go: it may be large
            self._tables = {scope: await self._looks.snapshot(scope, fresh)}

    async def _judge(self) -> None:
        """Look for deadlocks now and then."""
        manner = Manner(json=True, person=False)
        while True:
            cost = 0.0
            snapshot = self._loops
            tasks = 0 if snapshot is None else sum(loop.tasks for loop in snapshot.loops)
            if snapshot is not None and tasks <= DIAGNOSED and not self._board.paused:
                line = "deadlocks --quick --json"
                seen = await self._looks.answer(line, VERDICTS * SHARED, manner)
                cost = seen.cost
                if not seen.error:
                    found = json.loads(seen.text)["findings"]
                    self._deadlocks = sum(one["verdict"] == "deadlock" for one in found)
                    self._keys.put(_REFRESH)
            await asyncio.sleep(max(VERDICTS if snapshot is not None else 0.2, 20 * cost))


COMMAND = Command(
    name="top",
    summary="A live view of tasks, locks and loops over the whole window; ? lists its keys.",
    run=_run,
    configure=_configure,
    deadline=0,  # as long as the person likes
    interactive=True,
    unattended=True,
    examples=("top", "top 0.5"),
)
