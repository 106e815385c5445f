"""Clients: sniffed, admitted, and given a terminal and a session.

Loads with the first client, and with it everything that commands need.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from asyncconsole._version import __version__
from asyncconsole.capture import exits, flow, program, readers
from asyncconsole.commands import dispatch
from asyncconsole.commands.port import Target, Terminal
from asyncconsole.diagnose.rules import all_rules
from asyncconsole.serve import access, extensions, loading, sniff, wire
from asyncconsole.serve.door import Connection
from asyncconsole.serve.inbox import LINE_LIMIT
from asyncconsole.serve.journal import log, note
from asyncconsole.serve.looks import SharedLooks
from asyncconsole.serve.negotiation import Negotiation
from asyncconsole.serve.outlet import Outlet
from asyncconsole.serve.pace import brisk
from asyncconsole.serve.patience import forget, within
from asyncconsole.serve.perform import Person
from asyncconsole.serve.plain import PlainTerminal
from asyncconsole.serve.rules import Rules
from asyncconsole.serve.session import Greeter, Session
from asyncconsole.serve.stream import Stream

if TYPE_CHECKING:
    import ssl

    from asyncconsole.serve.editor import EditorTerminal

SILENCE = 0.1
"""Seconds in which a script or `connect` says its first word."""

NEGOTIATION = 0.4
"""Seconds in which a telnet answers an offer."""

_UNCLEAR = 0.4
_SETTLING = 0.5
_HELLO = 10.0
_TOKEN = 60.0
_HANDSHAKE = 10.0
_ENDING = 1.5
_LAST_WORDS = 1.2


_LATER = (
    "asyncconsole.capture.autopsy",
    "asyncconsole.capture.focus",
    "asyncconsole.capture.frozen",
    "asyncconsole.capture.frozen_child",
    "asyncconsole.capture.heap",
    "asyncconsole.capture.hop",
    "asyncconsole.render.flow",
    "asyncconsole.render.width",
    "asyncconsole.repl.aio",
    "asyncconsole.repl.stdlib",
    "asyncconsole.serve.autopsy",
    "asyncconsole.serve.census",
    "asyncconsole.serve.debugging",
    "asyncconsole.serve.dump",
    "asyncconsole.serve.lags",
    "asyncconsole.serve.look",
    "asyncconsole.serve.namespace",
    "asyncconsole.serve.recovery",
    "asyncconsole.serve.selfcheck",
    "asyncconsole.serve.shelf",
    "asyncconsole.serve.signalling",
    "asyncconsole.serve.timing",
    "asyncconsole.serve.turns",
    "asyncconsole.stall.busy",
    "asyncconsole.track.tracker",
    "ast",
    "difflib",
    "dis",
)
"""What is imported inside functions, by the time a command has run once."""


def prepare() -> None:
    """Load what commands would load one by one.

    After this no command needs an import, so that none of them waits for a program that
    stands still inside one.
    """
    for name in _LATER:
        importlib.import_module(name)
    exits._reader()  # noqa: SLF001 - the analysis of this Python's code
    exits._marks()  # noqa: SLF001 - as above
    flow._reader()  # noqa: SLF001 - as above
    program.shared()
    readers.wait_codes()
    extensions.load()
    all_rules()
    for command in dispatch.names().values():
        command.parser().format_help()  # argparse imports some more for it


class Reception:
    """Serves whoever has connected, on the side loop.

    Args:
        target: The program.
        rules: What sessions may do.
        gate: Compares tokens.
    """

    def __init__(self, target: Target, rules: Rules, gate: access.Gate) -> None:
        self._target = target
        self._rules = rules
        self._gate = gate
        self._greeter = Greeter(target)
        self._looks = SharedLooks(target)
        self._loop = asyncio.get_running_loop()

    async def serve(
        self, client: Connection, tls: ssl.SSLContext | None, closing: Callable[[], bool]
    ) -> None:
        """From the first byte to the last."""
        outlet = None
        try:
            await extensions.catch_up()
            reader, outlet = await self._open(client, tls)
            await self._greet(reader, outlet, client)
        except (OSError, EOFError, asyncio.TimeoutError, asyncio.IncompleteReadError):
            pass  # it left, or never said what it had to
        finally:
            if outlet is not None:
                if closing():
                    outlet.abort()
                else:
                    await outlet.close()

    async def _open(
        self, client: Connection, tls: ssl.SSLContext | None
    ) -> tuple[asyncio.StreamReader, Outlet]:
        reader = asyncio.StreamReader(limit=LINE_LIMIT, loop=self._loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=self._loop)
        transport, _ = await self._loop.connect_accepted_socket(
            lambda: protocol,
            client.sock,
            ssl=tls,
            ssl_handshake_timeout=_HANDSHAKE if tls else None,
        )
        client.writer = asyncio.StreamWriter(transport, protocol, reader, self._loop)
        return reader, Outlet(client.writer)

    async def _greet(
        self, reader: asyncio.StreamReader, outlet: Outlet, client: Connection
    ) -> None:
        """Find out what speaks, and whether it may."""
        negotiation = Negotiation()
        with brisk():
            kind, first = await self._first_words(reader, outlet, client, negotiation)
        if kind in ("http", "tls", "binary"):
            outlet.abort()
            return
        if kind == "wire":
            await self._serve_wire(reader, outlet, client, first)
            return
        if client.visitor.admission == "refused":
            outlet.write(client.visitor.reason.encode() + b"\r\n")
            return
        await self._serve_text(reader, outlet, client, (kind == "telnet", first, negotiation))

    async def _first_words(
        self,
        reader: asyncio.StreamReader,
        outlet: Outlet,
        client: Connection,
        negotiation: Negotiation,
    ) -> tuple[sniff.Kind, bytes]:
        """Classify; a silent client is offered telnet, and is plain if it stays silent."""
        first = await _hear(reader, SILENCE)
        if not first and client.visitor.admission != "refused":
            outlet.write(negotiation.offer())
            first = await _hear(reader, NEGOTIATION)
            if not first:
                outlet.write(b"\r")  # the offer's few bytes may stand on its screen
                return "text", b""
        kind: sniff.Kind | None = "text"
        if first:
            client.said = True
            deadline = self._loop.time() + _UNCLEAR
            while (kind := sniff.classify(first)) is None:
                try:
                    more = await _hear(reader, deadline - self._loop.time())
                except EOFError:
                    break
                if not more:
                    break
                first += more
        return kind or "text", first

    async def _serve_wire(
        self, reader: asyncio.StreamReader, outlet: Outlet, client: Connection, first: bytes
    ) -> None:
        """The protocol of `connect`, from its first line."""
        lines = wire.Lines(reader, first)
        try:
            hello = wire.read_hello(await within(_HELLO, lines.next()))
        except wire.ProtocolError as wrong:
            outlet.write(wire.pack(refused=str(wrong)))
            return
        if client.visitor.admission == "refused":
            outlet.write(wire.pack(refused=client.visitor.reason))
            return
        if client.visitor.admission == "token" and not await self._gate.admits(
            client.visitor, hello.token
        ):
            why = "That token is wrong." if hello.token else "This console wants a token."
            outlet.write(wire.pack(refused=why))
            return
        client.admitted = True
        terminal = wire.WireTerminal(lines, outlet, hello, self._greeter.complete, self._rules.idle)
        outlet.write(
            wire.pack(
                hello={"pid": os.getpid(), "program": self._greeter.program, "version": __version__}
            )
        )
        session = self._session(client, terminal, outlet)
        async with _alongside(terminal.pump(), outlet.lost):
            if hello.interactive:
                terminal.bye(await session.converse())
            else:
                await session.answer_runs(terminal)

    async def _serve_text(
        self,
        reader: asyncio.StreamReader,
        outlet: Outlet,
        client: Connection,
        found: tuple[bool, bytes, Negotiation],
    ) -> None:
        """People: with the editor when they have a telnet, else line by line."""
        editing, first, negotiation = found
        if editing:
            outlet.write(negotiation.offer())
        stream = Stream(reader, outlet, negotiation, editing=editing, idle=self._rules.idle)
        plain = client.plain = PlainTerminal(stream)
        stream.consumer = plain
        async with _alongside(stream.pump(first), outlet.lost):
            if client.visitor.admission == "token" and not await self._ask_token(client, plain):
                return
            user = client.visitor.user
            terminal = await self._edit(stream, plain, user) if editing else None
            session = self._session(client, terminal or plain, outlet)
            try:
                await session.converse()
            finally:
                if terminal is not None:
                    terminal.close()

    async def _edit(self, stream: Stream, plain: PlainTerminal, user: str) -> EditorTerminal | None:
        """The line editor; None where prompt_toolkit can't be had."""
        with contextlib.suppress(asyncio.TimeoutError):
            await within(_SETTLING, stream.settled.wait())
        try:
            editor = await loading.load("asyncconsole.serve.editor")  # third-party, telnets only
            terminal: EditorTerminal = editor.EditorTerminal(stream, self._greeter.complete, user)
        except Exception as error:
            note(log, logging.WARNING, "no line editor for telnet clients", exc_info=error)
            stream.outlet.write(stream.negotiation.withdraw())
            return None
        stream.consumer = terminal
        terminal.data(plain.leftover())
        return terminal

    async def _ask_token(self, client: Connection, terminal: PlainTerminal) -> bool:
        for _ in range(access.TRIES):
            try:
                given = await terminal.ask("Token: ", _TOKEN)
            except EOFError:
                return False
            if await self._gate.admits(client.visitor, given.strip()):
                client.admitted = True
                terminal.write("\n")
                return True
            terminal.write("\nThat token is wrong.\n")
        return False

    def _session(self, client: Connection, terminal: Terminal, outlet: Outlet) -> Session:
        person = Person(client.visitor.name, terminal, outlet.lost, self._looks)
        return Session(self._target, person, self._rules, self._greeter)


async def _hear(reader: asyncio.StreamReader, patience: float) -> bytes:
    """What arrives within ``patience`` seconds; empty for silence.

    Raises:
        EOFError: The client left without a word.
    """
    try:
        heard = await within(max(patience, 0.0), reader.read(4096))
    except asyncio.TimeoutError:
        return b""
    if not heard:
        raise EOFError
    return heard


@contextlib.asynccontextmanager
async def _alongside(work: Coroutine[Any, Any, None], lost: asyncio.Event) -> AsyncIterator[None]:
    """Run ``work`` as a task inside; it ends with the block."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(forget)  # it is told of below, if we get there
    try:
        yield
    finally:
        if lost.is_set():
            await asyncio.wait({task}, timeout=_LAST_WORDS)
        task.cancel()
        await asyncio.wait({task}, timeout=_ENDING)
    if task.done() and not task.cancelled() and (error := task.exception()) is not None:
        note(log, logging.ERROR, "reading from a client failed", exc_info=error)
