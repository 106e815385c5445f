"""What statements print: from any thread, in order, bounded, to one session."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque

from asyncconsole.commands.port import Terminal

LIMIT = 4 * 1024 * 1024
"""Most characters that wait for a session that does not take them."""

CHUNK = 64 * 1024
"""Most characters given to the terminal at a time."""

_log = logging.getLogger("asyncconsole")


class Output:
    """A queue of text from any thread to a terminal on the console's own loop.

    Uses no lock: a statement can be interrupted at any point of `write`, and a lock that
    it left behind would stop the session. The counts may therefore be off by a little.
    """

    def __init__(self, terminal: Terminal, loop: asyncio.AbstractEventLoop) -> None:
        self._terminal = terminal
        self._loop = loop
        self._pieces: deque[str] = deque()
        self._waiting = 0
        self._dropped = 0
        self._woken = False
        self._closed = False
        self._pump: asyncio.Task[None] | None = None

    def write(self, text: str) -> None:
        """Queue ``text``; from any thread. Never blocks; what is too much is counted."""
        if self._closed or not text:
            return
        if self._waiting + len(text) > LIMIT:
            room = max(0, LIMIT - self._waiting)
            self._dropped += len(text) - room
            text = text[:room]
        self._waiting += len(text)
        self._pieces.append(text)
        if not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # the console's loop has closed
                self._loop.call_soon_threadsafe(self._wake)

    async def drained(self) -> None:
        """Wait until the client has what was written so far, or was dropped."""
        self._wake()
        if self._pump is not None:
            await asyncio.wait({self._pump})

    def close(self) -> None:
        """Take nothing any more."""
        self._closed = True
        self._pieces.clear()
        if self._pump is not None:
            self._pump.cancel()

    def _wake(self) -> None:
        self._woken = False
        if self._pieces and not self._closed and (self._pump is None or self._pump.done()):
            self._pump = self._loop.create_task(self._run(), name="asyncconsole-repl-output")

    async def _run(self) -> None:
        try:
            while self._pieces:
                self._terminal.write(self._take())
                await self._terminal.drain()
        except Exception:
            _log.exception("the console's output stopped")
            self._pieces.clear()

    def _take(self) -> str:
        """The next chunk, and how much is missing after it."""
        chunk = []
        size = 0
        while self._pieces and size < CHUNK:
            piece = self._pieces.popleft()
            if len(piece) > CHUNK:
                self._pieces.appendleft(piece[CHUNK:])
                piece = piece[:CHUNK]
            chunk.append(piece)
            size += len(piece)
        if self._pieces:
            self._waiting -= size
        else:
            self._waiting = 0
            if self._dropped:
                note = f"\n[{self._dropped:,} characters left out: printed faster than sent]\n"
                self._dropped = 0
                chunk.append(note)
        return "".join(chunk)
