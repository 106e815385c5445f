"""A terminal for clients that edit their own lines: ``nc``, scripts, simple telnets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from asyncconsole.serve import sniff
from asyncconsole.serve.inbox import LINE_LIMIT, Inbox
from asyncconsole.serve.keyboard import Keyboard
from asyncconsole.serve.stream import Stream

_HEIGHT = 24
_WIDTH = 120
"""Columns. Nobody told; a client of this kind is as often a script as a narrow window."""


class PlainTerminal:
    """Lines in, text out; a `Terminal` and a `stream.Consumer`.

    Attributes:
        heard: True once the client has typed anything.
    """

    def __init__(self, stream: Stream) -> None:
        self.colour = False
        self.width = _WIDTH
        self.height = _HEIGHT
        self.paints = False
        self.interactive = True
        self._stream = stream
        self._outlet = stream.outlet
        self._inbox = Inbox()
        self._keyboard: Keyboard | None = None
        self._line = bytearray()
        self._after_return = False
        self.heard = False

    async def ask(self, prompt: str, patience: float) -> str:
        """One line, within ``patience`` seconds.

        Raises:
            EOFError: It didn't come, or Ctrl-C did.
        """
        self.write(prompt)
        try:
            return await self._inbox.get(patience)
        except KeyboardInterrupt:
            raise EOFError from None

    async def read_line(self, prompt: str, *, python: bool = False) -> str:
        """See `Terminal.read_line`."""
        _ = python
        if not self._inbox.pending:  # a script has said it all: it wants answers alone
            self.write(prompt)
        await self.drain()
        return await self._inbox.get(self._stream.idle)

    def write(self, text: str) -> None:
        """See `Terminal.write`."""
        self._outlet.write(text.encode("utf-8", "replace"))

    async def drain(self) -> None:
        """See `Terminal.drain`."""
        await self._outlet.drain()

    def on_interrupt(self, callback: Callable[[], None] | None) -> None:
        """See `Terminal.on_interrupt`."""
        self._inbox.on_interrupt = callback

    @contextmanager
    def take_keys(
        self, *, screen: bool = False, lines: bool = False, every: float | None = None
    ) -> Iterator[Keyboard]:
        """See `Terminal.take_keys`: whatever is typed is one key, and no part of a line."""
        keyboard = Keyboard(ahead=self._inbox.pending)
        self._inbox.on_interrupt = keyboard.interrupt
        if not (keyboard.ahead or lines):
            self._keyboard = keyboard
        try:
            yield keyboard
        finally:
            self._keyboard = self._inbox.on_interrupt = None

    def data(self, data: bytes) -> None:
        """Take typed bytes: cut them into lines, obey the few keys that matter."""
        self.heard = True
        if self._keyboard is not None:
            self._keyboard.put("ctrl-c" if b"\x03" in data else "enter")
            return
        for byte in data:
            if byte in b"\r\n":
                if not (byte == 0x0A and self._after_return):  # noqa: PLR2004 - LF of a CR LF
                    self._end_line()
                self._after_return = byte == 0x0D  # noqa: PLR2004 - CR
                continue
            self._after_return = False
            if byte == 0x03:  # noqa: PLR2004 - Ctrl-C
                self._line.clear()
                self._inbox.interrupt()
            elif byte == 0x04 and not self._line:  # noqa: PLR2004 - Ctrl-D
                self._inbox.put(None)
            elif byte in b"\x7f\x08":
                del self._line[-1:]
            elif byte == 0x15:  # noqa: PLR2004 - Ctrl-U
                self._line.clear()
            else:
                self._line.append(byte)
        if len(self._line) > LINE_LIMIT:
            self._refuse()

    def _end_line(self) -> None:
        line = bytes(self._line)
        self._line.clear()
        if len(line) > LINE_LIMIT:
            self._refuse()
        elif sniff.request_line(line):
            # A browser, however slowly its request came in: nothing it says is obeyed.
            self._outlet.abort()
            self._inbox.end()
        elif not self._outlet.lost.is_set():
            self._inbox.put(line.decode("utf-8", "replace"))

    def _refuse(self) -> None:
        self._line.clear()
        if not self._outlet.lost.is_set():
            self.write(f"A line may have {LINE_LIMIT // 1024} KiB; this one had more. Closing.\n")
            self._outlet.finish()
        self._inbox.end()

    def interrupt(self) -> None:
        """See `stream.Consumer.interrupt`."""
        self._line.clear()
        self._inbox.interrupt()

    def end(self) -> None:
        """See `stream.Consumer.end`."""
        if self._line:
            self._end_line()  # the last line of a script may lack its end
        self._inbox.end()
        if self._keyboard is not None:
            self._keyboard.end()

    def resized(self) -> None:
        """See `stream.Consumer.resized`."""
        self.width = self._stream.negotiation.width
        self.height = self._stream.negotiation.height

    async def room(self) -> None:
        """See `stream.Consumer.room`."""
        await self._inbox.room()

    def leftover(self) -> bytes:
        """What was typed ahead and not read, for the terminal that comes after this one."""
        return self._inbox.rest().encode("utf-8", "replace") + bytes(self._line)
