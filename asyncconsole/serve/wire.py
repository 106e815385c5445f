"""The terminal of ``asyncconsole connect``: JSON lines, described in docs/wire.md."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from asyncconsole.serve import sniff
from asyncconsole.serve.inbox import LINE_LIMIT, Inbox, nothing_said
from asyncconsole.serve.keyboard import Keyboard
from asyncconsole.serve.outlet import Outlet
from asyncconsole.serve.patience import within
from asyncconsole.serve.rules import IDLE

_PIECE = 5000
"""Characters in one ``out``: with every one escaped (12 bytes), still below 64 KiB."""

_MOST_RUNS = 64
_READ = 8192
_WIDEST = 1000
_LONGEST = 3600.0

Complete = Callable[[str], Awaitable[tuple[int, Sequence[str]]]]


class ProtocolError(Exception):
    """The client doesn't speak the wire; the message is one line."""


@dataclass(frozen=True, slots=True)
class Hello:
    """A client's first line.

    ``keys``: It can send single keys. ``screen``: It can show a whole window of text.
    """

    interactive: bool
    width: int
    height: int
    keys: bool
    screen: bool
    colour: bool
    token: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """One command to run; ``timeout`` in seconds."""

    line: str
    timeout: float | None


def pack(**message: Any) -> bytes:
    """One message as a line."""
    return json.dumps(message).encode("ascii") + b"\n"


def read_hello(line: bytes) -> Hello:
    """The first line of a client.

    Raises:
        ProtocolError: It is none.
    """
    said = _unpack(line[len(sniff.WIRE) :])
    token = said.get("token")
    return Hello(
        interactive=bool(said.get("interactive")),
        width=_columns(said.get("width")) or 80,
        height=_rows(said.get("height")) or 24,
        keys=bool(said.get("keys")),
        screen=bool(said.get("screen")),
        colour=bool(said.get("colour")),
        token=token if isinstance(token, str) else None,
    )


def _unpack(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        msg = "That was no message of the wire; `asyncconsole connect` speaks it."
        raise ProtocolError(msg)
    return said


def _columns(value: object) -> int | None:
    """A sane width, or None."""
    if isinstance(value, int) and 0 < value <= _WIDEST:
        return max(value, 20)
    return None


def _rows(value: object) -> int | None:
    """A sane height, or None."""
    return int(value) if isinstance(value, int) and 0 < value <= _WIDEST else None


def _seconds(value: object) -> float | None:
    """A sane timeout, or None."""
    if isinstance(value, int | float) and 0 <= value <= _LONGEST:  # NaN is neither
        return float(value)
    return None


class WireTerminal:
    """A `Terminal` whose person sits behind ``connect``."""

    def __init__(
        self,
        lines: Lines,
        outlet: Outlet,
        hello: Hello,
        complete: Complete,
        idle: float = IDLE,
    ) -> None:
        self.width = hello.width
        self.height = hello.height
        self.paints = hello.screen and hello.keys
        self.colour = hello.colour
        self.interactive = hello.interactive
        self._sends_keys = hello.keys
        self._keyboard: Keyboard | None = None
        self._lines = lines
        self._outlet = outlet
        self._complete = complete
        self._idle = idle
        self._inbox = Inbox()
        self._runs: deque[Run] = deque()
        self._news = asyncio.Event()
        self._space = asyncio.Event()
        self._space.set()
        self._ended = False

    async def pump(self) -> None:
        """Read and sort the client's messages until it leaves."""
        try:
            while not self._outlet.lost.is_set():
                line = await self._lines.next()
                if not line:
                    break
                await self._message(_unpack(line))
                await self._inbox.room()
                await self._space.wait()
        except ProtocolError as wrong:
            self._outlet.write(pack(bye=str(wrong)))
        except OSError:
            self._outlet.abort()
        self._ended = True
        self._news.set()
        self._inbox.end()
        if self._keyboard is not None:
            self._keyboard.end()
        if self.interactive:
            self._outlet.lost.set()

    async def _message(self, said: dict[str, Any]) -> None:
        if isinstance(said.get("run"), str):
            self._runs.append(Run(said["run"], _seconds(said.get("timeout"))))
            if len(self._runs) >= _MOST_RUNS:
                self._space.clear()
            self._news.set()
        elif isinstance(said.get("line"), str):
            self._inbox.put(said["line"])
        elif isinstance(said.get("keys"), str):
            if self._keyboard is not None:
                self._keyboard.feed(said["keys"])
        elif said.get("ahead"):
            if self._keyboard is not None:
                self._keyboard.put("ahead")
        elif said.get("eof"):
            self._inbox.put(None)
        elif said.get("interrupt"):
            self._inbox.interrupt()
        elif isinstance(said.get("complete"), str):
            replace, candidates = await self._complete(said["complete"])
            self._outlet.write(pack(completions=list(candidates)[:200], replace=replace))
        elif width := _columns(said.get("width")):
            self.width = width
            self.height = _rows(said.get("height")) or self.height
            if self._keyboard is not None:
                self._keyboard.put("resize")

    async def next_run(self) -> Run | None:
        """The next command to run; None when the client has left."""
        while not self._runs:
            if self._ended or self._outlet.lost.is_set():
                return None
            self._news.clear()
            try:
                await within(self._idle, self._news.wait())
            except asyncio.TimeoutError:
                self.bye(nothing_said(self._idle))
                return None
        run = self._runs.popleft()
        self._space.set()
        return run

    async def read_line(self, prompt: str, *, python: bool = False) -> str:
        """See `Terminal.read_line`."""
        self._outlet.write(pack(prompt=prompt, python=python))
        await self.drain()
        return await self._inbox.get(self._idle)

    def write(self, text: str) -> None:
        """See `Terminal.write`."""
        for start in range(0, len(text), _PIECE):
            self._outlet.write(pack(out=text[start : start + _PIECE]))

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
        """See `Terminal.take_keys`; from a client that sends none it is Ctrl-C alone."""
        keyboard = self._keyboard = Keyboard(returned=self._return)
        self._inbox.on_interrupt = keyboard.interrupt
        if self._ended:
            keyboard.end()
        if every is not None and not self.interactive:
            self._outlet.write(pack(every=every))
        if self._sends_keys:
            self._outlet.write(pack(keys=True, screen=screen))
        try:
            yield keyboard
        finally:
            self._keyboard = self._inbox.on_interrupt = None
            if self._sends_keys:
                self._outlet.write(pack(keys=False))

    def _return(self, text: str) -> None:
        """Have the client take what was typed as keys for its next line."""
        self._outlet.write(pack(typed=text))

    def done(self, code: int, error: str = "") -> None:
        """End the answer to a `Run`."""
        if error:
            self._outlet.write(pack(error=error[:2000]))
        self._outlet.write(pack(done=code))

    def bye(self, why: str) -> None:
        """Say why the session ends."""
        self._outlet.write(pack(bye=why))


class Lines:
    """Lines of a stream whose first bytes have been read already."""

    def __init__(self, reader: asyncio.StreamReader, first: bytes) -> None:
        self._reader = reader
        self._buffer = bytearray(first)

    async def next(self) -> bytes:
        """One line with its end; empty when the client has left.

        Raises:
            ProtocolError: It is longer than the wire allows.
            OSError: The connection broke.
        """
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > LINE_LIMIT:
                msg = f"A line may have {LINE_LIMIT // 1024} KiB; this one had more."
                raise ProtocolError(msg)
            more = await self._reader.read(_READ)
            if not more:
                self._buffer.clear()
                return b""
            self._buffer += more
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        return line
