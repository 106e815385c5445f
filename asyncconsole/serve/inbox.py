"""Lines that a client has sent and nobody has read yet; bounded."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from asyncconsole.serve.patience import within
from asyncconsole.serve.rules import IDLE

LINE_LIMIT = 64 * 1024
"""Bytes of one line."""

_MOST_LINES = 256
_MOST_CHARACTERS = 256 * 1024


def nothing_said(seconds: float) -> str:
    """Why a client that was silent for so long has to leave."""
    spelt = f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:g} s"  # noqa: PLR2004 - a minute
    return f"Nothing said for {spelt}."


class Inbox:
    """A queue of lines with an end, and a way for Ctrl-C past it."""

    def __init__(self) -> None:
        self._lines: deque[str | None] = deque()
        self._characters = 0
        self._ended = False
        self._interrupted = False
        self._reading = False
        self._news = asyncio.Event()
        self._space = asyncio.Event()
        self._space.set()
        self.on_interrupt: Callable[[], None] | None = None

    @property
    def pending(self) -> bool:
        """True when `get` will not have to wait."""
        return bool(self._lines) or self._ended

    def put(self, line: str | None) -> None:
        """Add a line, or None for a Ctrl-D; who puts waits for `room` before taking more."""
        self._lines.append(line)
        self._characters += len(line or "")
        if len(self._lines) >= _MOST_LINES or self._characters >= _MOST_CHARACTERS:
            self._space.clear()
        self._news.set()

    def end(self) -> None:
        """No more lines will come."""
        self._ended = True
        self._news.set()

    def interrupt(self) -> None:
        """Ctrl-C: stop what runs or the line that is asked for, forget what was typed ahead."""
        self._lines.clear()
        self._freed()
        if self._reading:
            self._interrupted = True
            self._news.set()
        elif self.on_interrupt is not None:
            self.on_interrupt()

    def rest(self) -> str:
        """Take everything that was typed ahead."""
        text = "".join(line + "\n" for line in self._lines if line is not None)
        self._lines.clear()
        self._freed()
        return text

    async def room(self) -> None:
        """Wait until there is space."""
        await self._space.wait()

    async def get(self, idle: float = IDLE) -> str:
        """The next line.

        Raises:
            EOFError: The client typed Ctrl-D, has left, or said nothing for ``idle`` seconds.
            KeyboardInterrupt: It typed Ctrl-C.
        """
        self._reading = True
        try:
            while not self._lines:
                if self._interrupted:
                    self._interrupted = False
                    raise KeyboardInterrupt
                if self._ended:
                    raise EOFError
                self._news.clear()
                try:
                    await within(idle, self._news.wait())
                except asyncio.TimeoutError:
                    msg = nothing_said(idle)
                    raise EOFError(msg) from None
        finally:
            self._reading = False
        line = self._lines.popleft()
        self._freed()
        if line is None:
            raise EOFError
        return line

    def _freed(self) -> None:
        self._characters = sum(len(line or "") for line in self._lines)
        if len(self._lines) < _MOST_LINES and self._characters < _MOST_CHARACTERS:
            self._space.set()
