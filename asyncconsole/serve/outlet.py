"""The way out to one client: bounded, so that one who doesn't read harms nobody."""

from __future__ import annotations

import asyncio
import contextlib

from asyncconsole.serve.patience import forget, within

PENDING_LIMIT = 4 * 1024 * 1024
"""Bytes that may wait for a client before it is dropped."""

STUCK = 30.0
"""Seconds a client may take nothing before it is dropped."""

_PARTING = 3.0


class Outlet:
    """Writes to a connection and never blocks, raises or grows without bound.

    Attributes:
        lost: Set once nothing can be sent any more.
    """

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.lost = asyncio.Event()

    def write(self, data: bytes) -> None:
        """Queue ``data``; drops the client when too much is waiting."""
        transport = self._writer.transport
        if self.lost.is_set() or transport.is_closing():
            self.lost.set()
            return
        if transport.get_write_buffer_size() + len(data) > PENDING_LIMIT:
            self.abort()
            return
        self._writer.write(data)

    async def drain(self) -> None:
        """Wait until most of it has gone out, or the client was dropped."""
        if self.lost.is_set():
            return
        if not self._writer.transport.get_write_buffer_size():
            await asyncio.sleep(0)  # it takes all it gets; others have their turn
            return
        try:
            await within(STUCK, self._writer.drain())
        except asyncio.TimeoutError:
            self.abort()
        except (OSError, RuntimeError):
            self.lost.set()

    def abort(self) -> None:
        """Drop the client now, with what waits for it."""
        self.lost.set()
        self._writer.transport.abort()

    def finish(self) -> None:
        """Send what waits, then nothing more."""
        self.lost.set()
        with contextlib.suppress(OSError, RuntimeError):
            if self._writer.can_write_eof():
                self._writer.write_eof()
            else:
                self._writer.close()

    async def closed(self) -> None:
        """Wait until the connection is gone."""
        with contextlib.suppress(OSError):
            # Shielded: a wait that is given up must not cancel the stream's own future.
            gone = asyncio.ensure_future(self._writer.wait_closed())
            gone.add_done_callback(forget)
            await asyncio.shield(gone)

    async def close(self) -> None:
        """Send what waits, for a moment, and hang up."""
        self.lost.set()
        self._writer.close()
        try:
            await within(_PARTING, self.closed())
        except asyncio.TimeoutError:
            self._writer.transport.abort()
