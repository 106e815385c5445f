"""Our end of the protocol of ``docs/wire.md``, on a blocking socket."""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from asyncconsole.client.address import Address
from asyncconsole.model.errors import DeadlineError, TargetMissingError

GREETING = "ASYNCCONSOLE/1"
LONGEST_LINE = 1 << 20  # bytes; a console's own lines are at most 64 KiB
LONGEST_HELLO = 1 << 16
CHUNK = 1 << 16

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Manner:
    """How a session is to be held: the first line's contents."""

    interactive: bool = False
    width: int = 80
    colour: bool = False
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Hello:
    """What a console says of itself."""

    pid: int
    program: str
    version: str


class GoneError(TargetMissingError):
    """The console ended the session, or its process did."""


class Wire:
    """A connection to a console. Messages are dictionaries, one JSON line each.

    Use `open_wire` to make one.
    """

    def __init__(self, sock: socket.socket, address: Address) -> None:
        self.address = address
        self.hello = Hello(0, "", "")
        self._socket = sock
        self._buffer = bytearray()
        self._searched = 0

    def __enter__(self) -> Wire:  # noqa: PYI034 - typing has no Self in Python 3.10
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, message: Message, deadline: float | None = None) -> None:
        """Send one message.

        Args:
            message: What `docs/wire.md` lists.
            deadline: ``time.monotonic()`` at which to give up; None waits 5 s.

        Raises:
            GoneError: Nobody is there any more.
            DeadlineError: Nobody takes it.
        """
        self._send(json.dumps(message), time.monotonic() + 5 if deadline is None else deadline)

    def greet(self, manner: Manner, deadline: float) -> None:
        """Exchange the first lines; sets ``hello``.

        Raises:
            TargetMissingError: Refused, or not a console.
            DeadlineError: No answer.
        """
        first: Message = {
            "interactive": manner.interactive,
            "width": manner.width,
            "colour": manner.colour,
        }
        if manner.token:
            first["token"] = manner.token
        self._send(f"{GREETING} {json.dumps(first)}", deadline)
        answer = self._greeting(deadline)
        hello = answer.get("hello")
        if isinstance(hello, dict):
            pid = hello.get("pid")
            self.hello = Hello(
                pid if isinstance(pid, int) else 0,
                str(hello.get("program", "")),
                str(hello.get("version", "")),
            )
            return
        if "refused" in answer:
            msg = f"{self.address.what} refused: {answer['refused']}"
            raise TargetMissingError(msg)
        raise self._foreign(json.dumps(answer).encode())

    def receive(self, deadline: float | None = None) -> Message:
        """The next message.

        Args:
            deadline: ``time.monotonic()`` at which to give up; None waits for ever.

        Raises:
            GoneError: The connection has ended.
            DeadlineError: Nothing came in time.
            TargetMissingError: What came is not of this protocol.
        """
        line = self._line(deadline, LONGEST_LINE)
        if line is None:
            msg = f"{self.address.what} closed the connection. Has the program ended?"
            raise GoneError(msg)
        message = _decode(line)
        if message is None:
            raise self._foreign(line)
        return message

    def close(self) -> None:
        """Hang up; may be called twice, and from another thread."""
        with suppress(OSError):  # the other side was faster
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes a `receive` in another thread
        self._socket.close()

    def _greeting(self, deadline: float) -> Message:
        line = self._line(deadline, LONGEST_HELLO)
        if line is None:
            said = bytes(self._buffer)
            if said:
                raise self._foreign(said)
            msg = f"{self.address.what} closed the connection without a word. Is that a console?"
            raise TargetMissingError(msg)
        message = _decode(line)
        if message is None:
            raise self._foreign(line)
        return message

    def _foreign(self, said: bytes) -> TargetMissingError:
        text = ascii(said[:40].decode("utf-8", "replace").strip())
        msg = (
            f"{self.address.what} is no asyncconsole, it says {text}. `asyncconsole ls` lists them."
        )
        return TargetMissingError(msg)

    def _send(self, line: str, deadline: float) -> None:
        try:
            self._wait(deadline)
            self._socket.sendall(line.encode() + b"\n")
        except TimeoutError:
            raise self._late() from None
        except OSError as error:
            msg = f"{self.address.what} has gone: {error.strerror or error}"
            raise GoneError(msg) from None

    def _line(self, deadline: float | None, longest: int) -> bytes | None:
        """One line without its end; None when the other side has closed."""
        while (end := self._buffer.find(b"\n", self._searched)) < 0:
            self._searched = len(self._buffer)
            if self._searched > longest:
                raise self._foreign(bytes(self._buffer[:40]))
            try:
                self._wait(deadline)
                chunk = self._socket.recv(CHUNK)
            except TimeoutError:
                raise self._late() from None
            except OSError:
                return None  # reset, which is another way of closing
            if not chunk:
                return None
            self._buffer += chunk
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        return line

    def _wait(self, deadline: float | None) -> None:
        """Let the socket's next call end by ``deadline``."""
        if deadline is None:
            self._socket.settimeout(None)
            return
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)

    def _late(self) -> DeadlineError:
        msg = (
            f"no answer from {self.address.what} in time. Its process may be stopped, or hold "
            "the interpreter in C code; --timeout S waits longer."
        )
        return DeadlineError(msg)


def open_wire(address: Address, manner: Manner, timeout: float) -> Wire:
    """Connect and be accepted.

    Args:
        address: Where.
        manner: How.
        timeout: Seconds for all of it.

    Raises:
        TargetMissingError: Nobody listens there, or refuses, or is no console.
        DeadlineError: No answer.
    """
    deadline = time.monotonic() + timeout
    wire = Wire(_connect(address, timeout), address)
    try:
        wire.greet(manner, deadline)
    except BaseException:
        wire.close()
        raise
    return wire


def _connect(address: Address, timeout: float) -> socket.socket:
    try:
        if not address.path:
            return socket.create_connection((address.host, address.port), timeout)
        if not hasattr(socket, "AF_UNIX"):
            msg = f"{address}: this Python has no Unix sockets; use HOST:PORT."
            raise TargetMissingError(msg)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(timeout)
            sock.connect(address.path)
        except BaseException:
            sock.close()
            raise
        return sock
    except (TimeoutError, BlockingIOError):  # a Unix socket's full backlog is EAGAIN
        msg = f"{address.what} doesn't accept connections in time; is its process stopped?"
        raise DeadlineError(msg) from None
    except OSError as error:
        why = error.strerror or str(error)
        msg = f"can't reach {address.what}: {why}. `asyncconsole ls` lists consoles."
        raise TargetMissingError(msg) from None


def _decode(line: bytes) -> Message | None:
    """The message, or None when it is none."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None
