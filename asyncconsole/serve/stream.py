"""A text connection: bytes from the client become typed text, interrupts and an end."""

from __future__ import annotations

import asyncio
from typing import Protocol

from asyncconsole.serve import telnet
from asyncconsole.serve.negotiation import Negotiation
from asyncconsole.serve.outlet import Outlet
from asyncconsole.serve.patience import within
from asyncconsole.serve.rules import IDLE

_PIECE = 4096
_AFTER_END = 120.0
"""Seconds a client that has said its last word may still be served."""
_LINGER = 1.0


class Consumer(Protocol):
    """Who gets what the client sends."""

    def data(self, data: bytes) -> None:
        """Typed bytes."""

    def interrupt(self) -> None:
        """Ctrl-C, as a telnet command."""

    def end(self) -> None:
        """The client sends no more."""

    def resized(self) -> None:
        """The client's window has another size."""

    async def room(self) -> None:
        """Wait until more can be taken."""


class Stream:
    """Reads a plain or telnet client for whoever is its consumer.

    Attributes:
        idle: Seconds the client may say nothing.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        outlet: Outlet,
        negotiation: Negotiation,
        *,
        editing: bool,
        idle: float = IDLE,
    ) -> None:
        self.outlet = outlet
        self.idle = idle
        self.negotiation = negotiation
        self.settled = asyncio.Event()
        self.consumer: Consumer | None = None
        self._reader = reader
        self._parser = telnet.Parser()
        self._editing = editing
        self._withdrawn = editing

    async def pump(self, first: bytes) -> None:
        """Read until the client has said its last word; its lost connection ends it too."""
        data = first
        try:
            while True:
                if data and not self._take(data):
                    break
                if self.outlet.lost.is_set():
                    await self._linger()
                    return
                if self.consumer is not None:
                    await self.consumer.room()
                data = await self._reader.read(_PIECE)
                if not data:
                    break
        except OSError:
            self.outlet.abort()
        if self.consumer is not None:
            self.consumer.end()
        if self._editing:
            self.outlet.lost.set()  # an editor's client never hangs up half
            return
        try:
            await within(_AFTER_END, self.outlet.closed())
        except asyncio.TimeoutError:
            self.outlet.abort()
        self.outlet.lost.set()

    async def _linger(self) -> None:
        """Read past what the client still sends, so that it sees our last line.

        A socket closed with unread bytes is reset, and the line with it.
        """

        async def read_on() -> None:
            while await self._reader.read(_PIECE * 16):
                pass

        try:
            await within(_LINGER, read_on())
        except asyncio.TimeoutError:
            self.outlet.abort()

    def _take(self, data: bytes) -> bool:
        """Hand one piece on; False when the client is to be dropped."""
        for event in self._parser.feed(data):
            if isinstance(event, telnet.Overflow):
                self.outlet.abort()
                return False
            self._handle(event)
        return True

    def _handle(self, event: telnet.Event) -> None:
        if isinstance(event, telnet.Data):
            if self.consumer is not None:
                self.consumer.data(event.payload)
        elif isinstance(event, telnet.Option):
            if not self._withdrawn:
                # A telnet that answered too late for the editor: it edits its lines itself.
                self._withdrawn = True
                self.outlet.write(self.negotiation.withdraw())
            self.outlet.write(self.negotiation.option(event))
        elif isinstance(event, telnet.Subnegotiation):
            if self.negotiation.subnegotiation(event) and self.consumer is not None:
                self.consumer.resized()
        elif isinstance(event, telnet.Command):
            self._command(event.code)
        if self.negotiation.settled:
            self.settled.set()

    def _command(self, code: int) -> None:
        if code == telnet.ARE_YOU_THERE:
            self.outlet.write(b"\r\n[yes]\r\n")
        elif self.consumer is None:
            return
        elif code in (telnet.INTERRUPT, telnet.BREAK):
            self.consumer.interrupt()
        elif code == telnet.EOF:
            self.consumer.data(b"\x04")
        elif code == telnet.ERASE_CHARACTER:
            self.consumer.data(b"\x7f")
        elif code == telnet.ERASE_LINE:
            self.consumer.data(b"\x15")
