"""A console's far end without a console: speaks docs/wire.md as scripted, or something else."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

HELLO = {"hello": {"pid": 4242, "program": "bank.py", "version": "0"}}


class Peer:
    """One client's connection, at the server's end."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.file = sock.makefile("rb")

    def send(self, *messages: dict[str, Any]) -> None:
        self.sock.sendall(b"".join(json.dumps(m).encode() + b"\n" for m in messages))

    def receive(self) -> dict[str, Any] | None:
        line = self.file.readline()
        return json.loads(line) if line else None

    def greeted(self) -> dict[str, Any]:
        """Take the client's first line and accept it."""
        line = self.file.readline()
        name, _, rest = line.partition(b" ")
        assert name == b"ASYNCCONSOLE/1", line
        self.send(HELLO)
        return json.loads(rest)


class Server:
    """Listens on loopback (or a Unix socket) and hands every client to ``serve(peer)``.

    What the clients sent is in ``got``: the greeting first, then every message.
    """

    def __init__(self, serve: Callable[[Peer, Server], None], path: Path | None = None) -> None:
        self.got: list[dict[str, Any]] = []
        self.failures: list[BaseException] = []
        self._serve = serve
        if path is None:
            self.sock = socket.create_server(("127.0.0.1", 0))
        else:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.bind(str(path))
            self.sock.listen()
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        return int(self.sock.getsockname()[1])

    def __enter__(self) -> Server:  # noqa: PYI034 - typing has no Self in Python 3.10
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        assert not self._thread.is_alive()
        assert not self.failures, self.failures

    def _accept(self) -> None:
        clients: list[threading.Thread] = []
        with suppress(OSError):
            while True:
                sock, _ = self.sock.accept()
                self._open.append(sock)
                client = threading.Thread(target=self._client, args=(sock,), daemon=True)
                clients.append(client)
                client.start()
        for client in clients:
            client.join(10)

    def _client(self, sock: socket.socket) -> None:
        peer = Peer(sock)
        try:
            self._serve(peer, self)
        except OSError:
            pass  # the client left
        except BaseException as error:
            self.failures.append(error)
        finally:
            peer.file.close()
            sock.close()


def answering(
    answers: dict[str, Sequence[dict[str, Any]]],
) -> Callable[[Peer, Server], None]:
    """A console that answers each command with the messages given for it."""

    def serve(peer: Peer, server: Server) -> None:
        server.got.append(peer.greeted())
        while (message := peer.receive()) is not None:
            server.got.append(message)
            if "run" in message:
                peer.send(*answers.get(message["run"], [{"error": "No command."}, {"done": 2}]))

    return serve


def document(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Messages of a command that prints one JSON document, cut into pieces as a console may."""
    text = json.dumps(value) + "\n"
    half = len(text) // 2
    return [{"out": text[:half]}, {"out": text[half:]}, {"done": 0}]


def silent(peer: Peer, server: Server) -> None:
    """Accepts, reads, and never says a word."""
    del server
    while peer.sock.recv(4096):
        pass


def saying(text: bytes) -> Callable[[Peer, Server], None]:
    """Speaks first, and another protocol."""

    def serve(peer: Peer, server: Server) -> None:
        peer.sock.sendall(text)
        silent(peer, server)

    return serve


def closing(peer: Peer, server: Server) -> None:
    """Hangs up after the client's first line."""
    del server
    peer.file.readline()
