"""Waits that somebody outside of the program ends: streams, sockets, servers, child processes.

Each is known by the code object that is suspended and told with what can be read of its
transport or socket, see `asyncconsole.capture.transports`.
"""

from __future__ import annotations

import asyncio
import socket
from asyncio import base_events, base_subprocess, selector_events, streams
from asyncio import subprocess as processes
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

from asyncconsole.capture import jams, transports
from asyncconsole.capture.chain import Level
from asyncconsole.capture.exits import referents
from asyncconsole.capture.objects import LISTS, attribute, method_code, type_name
from asyncconsole.capture.waiting import Waiting
from asyncconsole.model.task import Detail

Special = Callable[[Level, Any], "Waiting | None"]


def codes(owner: Any, *names: str) -> list[CodeType]:
    """Code objects of those functions of a class or module that this Python has."""
    if isinstance(owner, type):
        return [item for item in (method_code(owner, name) for name in names) if item is not None]
    items = [getattr(owner, name, None) for name in names]
    return [item.__code__ for item in items if type(item) is FunctionType]


def readers() -> dict[CodeType, Special]:
    """How to read each of asyncio's functions in which a task waits for the outside."""
    found: dict[CodeType, Special] = {}

    def register(reader: Special, owner: Any, *names: str) -> None:
        found.update(dict.fromkeys(codes(owner, *names), reader))

    for name in ("read", "readline", "readexactly", "readuntil", "_wait_for_data"):
        register(_reading(name), asyncio.StreamReader, name)
    register(_drain, asyncio.StreamWriter, "drain")
    register(_drain, streams.FlowControlMixin, "_drain_helper")
    register(_closing, asyncio.StreamWriter, "wait_closed")
    register(_process, base_subprocess.BaseSubprocessTransport, "_wait")
    register(_process, processes.Process, "wait")
    register(_serving, base_events.Server, "serve_forever")
    register(_server_closing, base_events.Server, "wait_closed")
    loop = base_events.BaseEventLoop
    register(_connecting, loop, "_create_connection_transport", "start_tls")
    register(_executor_closing, loop, "shutdown_default_executor")
    selecting = selector_events.BaseSelectorEventLoop
    for name in vars(selecting):
        if name.startswith("sock_"):
            register(_socket(name), selecting, name)
    return found


def by_name(name: str) -> Special | None:
    """How to read one of uvloop's own coroutines, which do what asyncio's do."""
    if name.startswith("sock_"):
        return _socket(name)
    return {
        "serve_forever": _serving,
        "wait_closed": _server_closing,
        "create_connection": _connecting,
        "start_tls": _connecting,
        "shutdown_default_executor": _executor_closing,
    }.get(name)


def pid_of(held: list[Any]) -> int | None:
    """Process id of the child among these objects: an asyncio process or its transport."""
    for item in held:
        pid = None
        if issubclass(type(item), processes.Process):
            pid = attribute(item, "pid")
        elif issubclass(type(item), base_subprocess.BaseSubprocessTransport):
            pid = attribute(item, "_pid")
        if type(pid) is int:
            return pid
    return None


def _found(level: Level, wanted: type) -> Any:
    for item in referents(level.owner):
        if issubclass(type(item), wanted):
            return item
    return None


def _reading(function: str) -> Special:
    """A reader that has to wait for data."""
    how = f" ({function})" if not function.startswith("_") else ""

    def read(level: Level, future: Any) -> Waiting | None:
        reader = _found(level, asyncio.StreamReader)
        if reader is None:
            return None
        end = transports.end_of(attribute(reader, "_transport"))
        buffer = attribute(reader, "_buffer")
        size = len(buffer) if type(buffer) is bytearray else 0
        details: list[Detail] = [*end.details, ("buffered", size)]
        extra = f", {size} bytes buffered" if size else ""
        if attribute(reader, "_paused") is True:
            details.append(("paused", True))
            extra += ", reading is paused"
        return Waiting(
            "stream",
            future,
            opaque=True,
            phrase=f"data from {end.words or 'a stream'}{how}{extra}",
            details=details,
        )

    return read


def _drain(level: Level, future: Any) -> Waiting | None:
    """A writer above its high-water mark waits until its transport has sent enough."""
    owner = _found(level, asyncio.StreamWriter) or _found(level, streams.FlowControlMixin)
    end = transports.end_of(attribute(owner, "_transport"))
    size = dict(end.details).get("unsent")
    extra = f", {size} bytes unsent" if size else ""
    return Waiting(
        "stream",
        future,
        opaque=True,
        phrase=f"{end.words or 'a stream'} to take data (drain){extra}",
        details=[*end.details, ("paused", attribute(owner, "_paused") is True)]
        if issubclass(type(owner), streams.FlowControlMixin)
        else list(end.details),
        jammed=jams.of_writer(owner),
    )


def _closing(level: Level, future: Any) -> Waiting | None:
    writer = _found(level, asyncio.StreamWriter)
    end = transports.end_of(attribute(writer, "_transport"))
    return Waiting(
        "stream",
        future,
        opaque=True,
        phrase=f"its connection to {end.words or 'a stream'} to close",
        details=list(end.details),
    )


def _process(level: Level, future: Any) -> Waiting | None:
    pid = pid_of(referents(level.owner))
    which = f"child process {pid}" if pid is not None else "a child process"
    details: list[Detail] = [("pid", pid)] if pid is not None else []
    process = _found(level, processes.Process)
    return Waiting(
        "subprocess",
        future,
        opaque=True,
        phrase=f"{which} to end",
        details=details,
        jammed=jams.of_process(process) if process is not None else None,
    )


def _sockets(level: Level) -> tuple[list[str], list[Detail]]:
    """Addresses that a server level's sockets listen on."""
    found: list[str] = []
    for item in referents(level.owner):
        sockets = attribute(item, "_sockets") if type_name(item) == "Server" else None
        if sockets is None or type(sockets) not in LISTS:
            continue
        for one in list(sockets):
            text = transports.local_address(one)
            if text:
                found.append(text)
    return found, [("listens on", text) for text in found[:10]]


def _serving(level: Level, future: Any) -> Waiting | None:
    addresses, details = _sockets(level)
    where = f" on {', '.join(addresses[:3])}" if addresses else ""
    return Waiting(
        "server",
        future,
        opaque=True,
        phrase=f"connections{where} (serves for ever)",
        details=details,
    )


def _server_closing(level: Level, future: Any) -> Waiting | None:
    server = _found(level, base_events.Server)
    clients = attribute(server, "_clients")  # 3.12.1; a count before
    count = attribute(server, "_active_count")
    if clients is not None:
        data = attribute(clients, "data")
        count = len(data if type(data) is set else clients) if type(data) is set else None
    known = type(count) is int
    return Waiting(
        "server",
        future,
        opaque=True,
        phrase=f"{count} connection{'s' * (count != 1)} to close"
        if known
        else "its connections to close",
        details=[("connections", count)] if known else [],
    )


def _connecting(level: Level, future: Any) -> Waiting | None:
    """A transport was made and is not ready: the TLS handshake, mostly."""
    held = referents(level.owner)
    where = ""
    details: list[Detail] = []
    for item in held:
        if issubclass(type(item), socket.socket):
            address, more = transports.socket_facts(item)
            where, details = f" with {address}" if address else "", more
            break
    return Waiting(
        "socket",
        future,
        opaque=True,
        phrase=f"a connection{where} to be set up",
        details=details,
    )


def _executor_closing(level: Level, future: Any) -> Waiting | None:
    loop = next(
        (i for i in referents(level.owner) if issubclass(type(i), asyncio.AbstractEventLoop)), None
    )
    threads = attribute(attribute(loop, "_default_executor"), "_threads")
    count = len(threads) if type(threads) is set else None
    which = f"{count} thread{'s' * (count != 1)}" if count is not None else "the threads"
    return Waiting(
        "executor",
        future,
        opaque=True,
        phrase=f"{which} of the loop's default executor to end",
        details=[("threads", count)] if count is not None else [],
    )


def _socket(function: str) -> Special:
    """A coroutine of the loop that works on a bare socket."""

    def read(level: Level, future: Any) -> Waiting | None:
        held = [*referents(level.owner), *transports.scope(level.owner)]
        one = next((item for item in held if issubclass(type(item), socket.socket)), None)
        if one is None:
            return Waiting("socket", future, opaque=True, phrase=f"a socket ({function})")
        address, details = transports.socket_facts(one)
        if function == "sock_connect":
            wanted = (transports.address(item) for item in held if type(item) is tuple)
            address = next((text for text in wanted if text), address)
            text = f"a connection to {address or 'a socket'}"
        elif function == "sock_accept":
            text = f"a connection on {transports.local_address(one) or 'a socket'}"
        else:
            text = f"socket {address or dict(details).get('fd', '')}"
        return Waiting(
            "socket",
            future,
            opaque=True,
            phrase=f"{text} ({function})",
            details=details,
            jammed=jams.of_socket(one) if function == "sock_sendall" else None,
        )

    return read
