"""TLS for the wire: a socket of which one thread reads while another one writes.

`ssl.SSLSocket` can't do that: OpenSSL wants one thread at a time in a connection, and
newer Pythons therefore let a writer wait for as long as a reader does.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import suppress

from asyncconsole.client.address import Trust
from asyncconsole.model.errors import TargetMissingError, UsageError

_CHUNK = 1 << 16


class SecureSocket:
    """What `Wire` needs of a socket, over TLS."""

    def __init__(self, sock: socket.socket, trust: Trust, host: str, what: str) -> None:
        self._socket = sock
        self._what = what
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = _context(trust).wrap_bio(
            self._incoming, self._outgoing, server_hostname=trust.name or host
        )
        self._state = threading.Lock()  # held for no I/O
        self._sending = threading.Lock()

    def handshake(self) -> None:
        """Agree on keys, and be sure of who is there; in the time the socket has.

        Raises:
            TargetMissingError: It speaks no TLS, or is not whom we trust.
            TimeoutError: It takes too long.
        """
        what, timeout = self._what, self._socket.gettimeout()
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                with self._state:
                    self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
            except ssl.SSLCertVerificationError as error:
                msg = (
                    f"{what}: its certificate is not trusted: {error.verify_message}. "
                    "--cafile FILE names who vouches for it, --tls-name NAME another name."
                )
                raise TargetMissingError(msg) from None
            except ssl.SSLError as error:
                if "ALERT" in (error.reason or ""):
                    raise self._refused(error) from None
                msg = f"{what} does not speak TLS: {error.reason or error}. Try without --tls."
                raise TargetMissingError(msg) from None
            else:
                self._flush()
                self._socket.settimeout(timeout)
                return
            if end is not None:
                if end <= time.monotonic():
                    raise TimeoutError
                self._socket.settimeout(end - time.monotonic())
            try:
                chunk = self._socket.recv(_CHUNK)
            except ConnectionError:
                chunk = b""
            if not chunk:
                msg = (
                    f"{what} hung up on a greeting in TLS. "
                    "Try without --tls, or with --cert FILE if it asks for a certificate."
                )
                raise TargetMissingError(msg)
            self._incoming.write(chunk)

    def recv(self, size: int) -> bytes:
        """See `socket.socket.recv`; one thread at a time.

        Raises:
            TargetMissingError: The console wants a certificate, or another one.
        """
        while True:
            try:
                with self._state:
                    data = self._tls.read(size)
            except ssl.SSLWantReadError:
                self._flush()  # keys may be renewed
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLError as error:
                raise self._refused(error) from None
            else:
                self._flush()
                return data
            chunk = self._socket.recv(_CHUNK)
            if not chunk:
                return b""
            with self._state:
                self._incoming.write(chunk)

    def _refused(self, error: ssl.SSLError) -> TargetMissingError:
        """The other end has said no; in TLS 1.3 it says so only after the greeting."""
        why = (error.reason or str(error)).lower().replace("_", " ")
        msg = f"{self._what} broke off: {why}. One that asks for a certificate wants --cert FILE."
        return TargetMissingError(msg)

    def sendall(self, data: bytes) -> None:
        """See `socket.socket.sendall`; from any thread."""
        with self._state:
            self._tls.write(data)
        self._flush()

    def _flush(self) -> None:
        with self._sending:
            with self._state:
                ready = self._outgoing.read()
            if ready:
                self._socket.sendall(ready)

    def pending(self) -> bool:
        """True when `recv` needs nothing of the network."""
        with self._state:
            return bool(self._tls.pending() or self._incoming.pending)

    def settimeout(self, seconds: float | None) -> None:
        """See `socket.socket.settimeout`."""
        self._socket.settimeout(seconds)

    def fileno(self) -> int:
        """See `socket.socket.fileno`."""
        return self._socket.fileno()

    def shutdown(self, how: int) -> None:
        """Say goodbye, and see `socket.socket.shutdown`."""
        with suppress(ssl.SSLError, OSError), self._state:
            self._tls.unwrap()
        with suppress(OSError):
            self._flush()
        self._socket.shutdown(how)

    def close(self) -> None:
        """See `socket.socket.close`."""
        self._socket.close()


def _context(trust: Trust) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=trust.authority)
    except OSError as error:
        msg = f"--cafile {trust.authority}: {error.strerror or error}"
        raise UsageError(msg) from None
    if trust.certificate is not None:
        try:
            context.load_cert_chain(trust.certificate, trust.key)
        except OSError as error:
            files = f"--cert {trust.certificate}" + (f" --key {trust.key}" if trust.key else "")
            msg = f"{files}: {error.strerror or error}"
            raise UsageError(msg) from None
    return context


def secure(sock: socket.socket, trust: Trust, host: str, what: str) -> SecureSocket:
    """Speak TLS from now on, in the time the socket has; closes it when that fails.

    Args:
        sock: A connection.
        trust: Whom to believe.
        host: Who should be there.
        what: The same, for messages.

    Raises:
        TargetMissingError: It speaks no TLS, or is not whom we trust.
        TimeoutError: It takes too long.
        UsageError: A file of ``trust`` is no certificate, or no key of it.
    """
    try:
        secured = SecureSocket(sock, trust, host, what)
        secured.handshake()
    except BaseException:
        sock.close()
        raise
    return secured
