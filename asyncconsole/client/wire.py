"""Our end of the protocol of ``docs/wire.md``, on a blocking socket."""

from __future__ import annotations

import json
import selectors
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from asyncconsole.client.address import Address
from asyncconsole.model.errors import DeadlineError, TargetMissingError

if TYPE_CHECKING:
    from asyncconsole.client.secure import SecureSocket

    Socket = socket.socket | SecureSocket

GREETING = "ASYNCCONSOLE/1"
LONGEST_LINE = 1 << 20  # bytes; a console's own lines are at most 64 KiB
LONGEST_HELLO = 1 << 16
CHUNK = 1 << 16

CONNECTING = 10.0
"""Seconds for a connection when there is no bound; the kernel makes it, not the program."""

LOOKING = 0.7
"""Seconds to look at a program that takes no connections."""

TICK = 0.25
"""Seconds between two words to the onlooker."""

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Manner:
    """How a session is to be held: the first line's contents.

    Attributes:
        interactive: A person answers prompts.
        width: Columns of the terminal.
        colour: Escape codes may come.
        token: Lets in.
        height: Rows of the terminal; None where there is none, and no single keys then.
        screen: The console may have the whole window.
    """

    interactive: bool = False
    width: int = 80
    colour: bool = False
    token: str | None = None
    height: int | None = None
    screen: bool = False


@dataclass(frozen=True, slots=True)
class Hello:
    """What a console says of itself."""

    pid: int
    program: str
    version: str


class Onlooker(Protocol):
    """Who is told of a console's silence."""

    def heard(self) -> None:
        """Something came."""

    def silent(self, seconds: float, left: float | None) -> None:
        """Nothing came for that long; ``left`` until nobody waits any more. May raise."""

    def why(self) -> str:
        """Why nothing comes, in a sentence; "" when nobody knows."""


class GoneError(TargetMissingError):
    """The console ended the session, or its process did."""


class Wire:
    """A connection to a console. Messages are dictionaries, one JSON line each.

    Use `open_wire` to make one.

    Attributes:
        address: Where the console is.
        hello: What it says of itself.
        onlooker: Told of its silence while somebody waits; may be set and taken away.
    """

    def __init__(self, sock: Socket, address: Address, onlooker: Onlooker | None = None) -> None:
        self.address = address
        self.onlooker = onlooker
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

    def greet(self, manner: Manner, deadline: float | None) -> None:
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
        if manner.height is not None:
            first |= {"height": manner.height, "keys": True, "screen": manner.screen}
        if manner.token:
            first["token"] = manner.token
        line = f"{GREETING} {json.dumps(first)}"
        self._send(line, time.monotonic() + 5 if deadline is None else deadline)
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

    def idle(self, seconds: float) -> None:
        """Do nothing for that long, or until something comes: the end of the connection, mostly."""
        if not self._buffer and not self._decrypted():
            with selectors.DefaultSelector() as selector:
                selector.register(self._socket, selectors.EVENT_READ)
                selector.select(seconds)

    def _decrypted(self) -> bool:
        """True when TLS has more than what has been read of it."""
        return not isinstance(self._socket, socket.socket) and self._socket.pending()

    def close(self) -> None:
        """Hang up; may be called twice, and from another thread."""
        with suppress(OSError):  # the other side was faster
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes a `receive` in another thread
        self._socket.close()

    def _greeting(self, deadline: float | None) -> Message:
        line = self._line(deadline, LONGEST_HELLO)
        if line is None:
            said = bytes(self._buffer)
            if said:
                raise self._foreign(said)
            hint = (
                "Is that a console? One that speaks TLS wants --tls."
                if self.address.trust is None
                else "One that asks for a certificate wants --cert FILE."
            )
            msg = f"{self.address.what} closed the connection without a word. {hint}"
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
                chunk = self._chunk(deadline)
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

    def _chunk(self, deadline: float | None) -> bytes:
        """What comes next; meanwhile the onlooker is told how long it takes."""
        began = time.monotonic()
        tick = TICK if deadline is None else min(TICK, max(0.01, (deadline - began) / 4))
        while self.onlooker is not None:
            now = time.monotonic()
            if deadline is not None and deadline - now <= tick:
                break
            try:
                self._wait(now + tick)
                chunk = self._socket.recv(CHUNK)
            except TimeoutError:
                now = time.monotonic()
                self.onlooker.silent(now - began, None if deadline is None else deadline - now)
            else:
                self.onlooker.heard()
                return chunk
        self._wait(deadline)
        chunk = self._socket.recv(CHUNK)
        if self.onlooker is not None:
            self.onlooker.heard()
        return chunk

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
        why = "" if self.onlooker is None else self.onlooker.why()
        why = why or "its process may be stopped, or hold the interpreter in C code;"
        msg = f"no answer from {self.address.what} in time: {why} --timeout S waits longer."
        return DeadlineError(msg)


def open_wire(
    address: Address, manner: Manner, timeout: float | None, onlooker: Onlooker | None = None
) -> Wire:
    """Connect and be accepted.

    Args:
        address: Where.
        manner: How.
        timeout: Seconds for all of it; None waits for ever once connected.
        onlooker: Told of the console's silence.

    Raises:
        TargetMissingError: Nobody listens there, or refuses, or is no console.
        DeadlineError: No answer.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        sock = _connect(address, CONNECTING if timeout is None else timeout)
    except DeadlineError as error:
        if onlooker is None:
            raise
        raise _refusing(error, onlooker, timeout) from None
    wire = Wire(sock, address, onlooker)
    try:
        wire.greet(manner, deadline)
    except BaseException:
        wire.close()
        raise
    return wire


def _refusing(error: DeadlineError, onlooker: Onlooker, timeout: float | None) -> DeadlineError:
    """That nobody takes the connection, and why; the kernel says it at once, looking takes time."""
    seconds = LOOKING if timeout is None else min(LOOKING, timeout / 2)
    onlooker.silent(0.0, None)
    time.sleep(seconds)
    onlooker.silent(seconds, seconds)
    return DeadlineError(f"{error} {onlooker.why()}".strip())


def _connect(address: Address, timeout: float) -> Socket:
    try:
        if not address.path:
            return _connect_tcp(address, timeout)
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


def _connect_tcp(address: Address, timeout: float) -> Socket:
    sock = socket.create_connection((address.host, address.port), timeout)
    if address.trust is None:
        return sock
    from asyncconsole.client.secure import secure  # noqa: PLC0415 - brings OpenSSL along

    return secure(sock, address.trust, address.host, address.what)


def _decode(line: bytes) -> Message | None:
    """The message, or None when it is none."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None
