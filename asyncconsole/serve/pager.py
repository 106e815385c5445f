"""Long answers page by page, where a person looks at a window."""

from __future__ import annotations

import re

from asyncconsole.commands.keys import Keys
from asyncconsole.commands.live import say
from asyncconsole.commands.port import Terminal
from asyncconsole.render.width import cells, cut

_CODES = re.compile(r"\x1b\[[0-9;]*m")
_CLEAR = "\r\x1b[K"
_LEAST = 5
"""Rows of a window that has pages."""

_PAGE = {" ", "pagedown", "f", "ctrl-f"}
_LINE = {"enter", "down", "j"}
_REST = {"G", "end", "ahead"}
_STOP = {"q", "Q", "escape", "ctrl-c", "ctrl-d"}
_NOTHING = {"resize", "up", "left", "right", "home", "pageup"}


async def show(terminal: Terminal, text: str, idle: float) -> None:
    """Write an answer; where it does not fit a person's window, wait after each page for a key.

    Whoever types the next line meanwhile gets all that is left, and the line is kept. One that
    had been typed before wants no pages at all.

    Args:
        terminal: The person's.
        text: The answer.
        idle: Seconds after which nobody is there any more.
    """
    lines = text.splitlines()
    if not _fills(terminal, lines):
        await say(terminal, text)
        return
    with terminal.take_keys() as keys:
        if keys.ahead:
            await say(terminal, text)
            return
        shown, room = 0, terminal.height - 1
        while True:
            shown = await _some(terminal, lines, shown, room)
            if shown == len(lines):
                return
            asked = f"-- {shown} of {len(lines)} lines: space, Enter, q --"
            terminal.write(cut(asked, max(1, terminal.width - 1)))
            await terminal.drain()
            key = await _key(keys, idle)
            terminal.write(_CLEAR)
            if key in _STOP:
                return
            room = 1 if key in _LINE else terminal.height - 1
            if key not in _PAGE | _LINE:
                await say(terminal, "".join(f"{line}\n" for line in lines[shown:]))
                if key not in _REST:
                    await _give_back(keys, key)
                return


def _fills(terminal: Terminal, lines: list[str]) -> bool:
    """True when it does not fit a window with a line for the prompt."""
    if not (terminal.interactive and terminal.paints and terminal.height >= _LEAST):
        return False
    return sum(_rows(line, terminal.width) for line in lines[: terminal.height]) >= terminal.height


def _rows(line: str, width: int) -> int:
    """Rows of the window that a line takes."""
    return max(1, -(-cells(_CODES.sub("", line)) // max(1, width)))


async def _some(terminal: Terminal, lines: list[str], shown: int, room: int) -> int:
    """Write so many rows, one line at least; gives how many lines have been written then."""
    first = shown
    while shown < len(lines):
        room -= _rows(lines[shown], terminal.width)
        if room < 0 and shown > first:
            break
        shown += 1
    await say(terminal, "".join(f"{line}\n" for line in lines[first:shown]))
    return shown


async def _key(keys: Keys, idle: float) -> str:
    """The next key that means something; whoever has left wants to see no more."""
    try:
        while (key := await keys.get(idle)) in _NOTHING:
            pass
    except EOFError:
        return "q"
    return key or "q"  # nobody is there; the prompt has a limit of its own


async def _give_back(keys: Keys, key: str) -> None:
    """What was typed is the next line, or the beginning of it."""
    typed = [key]
    try:
        while more := await keys.get(0.0):
            typed.append(more)
    except EOFError:
        return
    keys.give_back(typed)
