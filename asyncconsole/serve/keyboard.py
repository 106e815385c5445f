"""Single keys of a client: parsed from what it types, and queued; bounded."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from asyncconsole.serve.patience import within

_MOST = 256
"""Keys that wait; more are dropped."""

_LONGEST = 32
"""Characters of an escape sequence."""

_ESCAPE = 0.2
"""Seconds after which an escape that nothing follows is the key."""

_CONTROLS = {
    "\r": "enter",
    "\n": "enter",
    "\t": "tab",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\x02": "pageup",
    "\x06": "pagedown",
    "\x0e": "down",
    "\x10": "up",
}

_SEQUENCES = {
    "A": "up",
    "B": "down",
    "C": "right",
    "D": "left",
    "H": "home",
    "F": "end",
    "1~": "home",
    "7~": "home",
    "4~": "end",
    "8~": "end",
    "3~": "delete",
    "5~": "pageup",
    "6~": "pagedown",
}
"""What follows ``ESC [`` or ``ESC O``; what is not here is no key."""


class Parser:
    """Characters to keys; keeps an escape sequence that has only begun."""

    def __init__(self) -> None:
        self._begun = ""

    @property
    def begun(self) -> bool:
        """True while an escape stands alone, or its sequence has no end yet."""
        return bool(self._begun)

    def feed(self, text: str) -> list[str]:
        """The keys that are complete."""
        keys: list[str] = []
        for character in text:
            if self._begun:
                self._follow(character, keys)
            elif character == "\x1b":
                self._begun = character
            else:
                keys += _key(character)
        return keys

    def flush(self) -> list[str]:
        """Nothing follows: a lone escape is a key, the beginning of a sequence is none."""
        begun, self._begun = self._begun, ""
        return ["escape"] if begun == "\x1b" else []

    def _follow(self, character: str, keys: list[str]) -> None:
        """One character after an escape."""
        if self._begun == "\x1b":
            if character in "[O":
                self._begun += character
            elif character == "\x1b":
                keys.append("escape")
            else:
                self._begun = ""
                keys += ["escape", *_key(character)]
            return
        if "\x40" <= character <= "\x7e":
            key = _SEQUENCES.get(self._begun[2:] + character)
            self._begun = ""
            keys += [key] if key is not None else []
        elif character < " " or len(self._begun) > _LONGEST:
            self._begun = ""  # noise; a control character in its midst is one
            keys += _key(character)
        else:
            self._begun += character


def _key(character: str) -> list[str]:
    """The key of one character; none for what no key gives."""
    if character in _CONTROLS:
        return [_CONTROLS[character]]
    if character == "\x00":
        return []
    if character < " ":
        return [f"ctrl-{chr(ord(character) + 96)}"]
    return [character]


_TEXT = {"enter": "\r", "tab": "\t", "backspace": "\x7f"}
"""What keys are in a line."""


class Keyboard:
    """A queue of keys with an end; see `asyncconsole.commands.keys.Keys`.

    Args:
        ahead: More had been typed before.
        claimed: Gives that up to be keys.
        returned: Takes what was typed for the next line.
    """

    def __init__(
        self,
        *,
        ahead: bool = False,
        claimed: Callable[[], str] = str,
        returned: Callable[[str], object] = str,
    ) -> None:
        self.ahead = ahead
        self._claimed = claimed
        self._returned = returned
        self._keys: deque[str] = deque()
        self._parser = Parser()
        self._news = asyncio.Event()
        self._ended = False

    def feed(self, text: str) -> None:
        """Take what was typed."""
        for key in self._parser.feed(text):
            if key == "ctrl-c":
                self.interrupt()
            elif len(self._keys) < _MOST:
                self._keys.append(key)
        self._news.set()

    def claim(self) -> None:
        """See `Keys.claim`."""
        self.feed(self._claimed())

    def give_back(self, keys: Sequence[str]) -> None:
        """See `Keys.give_back`."""
        self._returned("".join(_TEXT.get(key, key if len(key) == 1 else "") for key in keys))

    def interrupt(self) -> None:
        """Ctrl-C goes before everything else."""
        self._keys.clear()
        self.put("ctrl-c")

    def put(self, key: str) -> None:
        """See `Keys.put`."""
        if key not in self._keys:
            self._keys.append(key)
        self._news.set()

    def end(self) -> None:
        """No more keys will come."""
        self._ended = True
        self._news.set()

    async def get(self, patience: float | None = None) -> str:
        """See `Keys.get`."""
        loop = asyncio.get_running_loop()
        end = None if patience is None else loop.time() + patience
        while not self._keys:
            if self._ended:
                raise EOFError
            left = None if end is None else max(0.0, end - loop.time())
            self._news.clear()
            if not await self._heard(left) and self._parser.begun:
                for key in self._parser.flush():
                    self.put(key)
            elif end is not None and loop.time() >= end and not self._keys:
                return ""
        return self._keys.popleft()

    async def _heard(self, left: float | None) -> bool:
        """Wait for news; False when there was none in time."""
        if self._parser.begun:
            left = _ESCAPE if left is None else min(left, _ESCAPE)
        if left is None:
            await self._news.wait()
            return True
        try:
            await within(left, self._news.wait())
        except asyncio.TimeoutError:
            return False
        return True
