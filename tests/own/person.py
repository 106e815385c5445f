"""A person at a plain socket, whom the console answers line by line."""

from __future__ import annotations

import re
import socket

DEADLINE = 30.0

PROMPT = re.compile(r"^[\w.-]+ \d+(?: \[BLOCKED [\d.]+ s\])?> ", re.MULTILINE)


class Person:
    """Somebody with ``nc``."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        self._seen = ""
        self.ask("version")  # who says nothing at first is offered telnet

    def send(self, line: str) -> None:
        self.socket.sendall(f"{line}\n".encode())

    def press(self, key: bytes) -> None:
        self.socket.sendall(key)

    def answer(self, prompt: str | re.Pattern[str] = PROMPT) -> str:
        """What comes before the next prompt."""
        wanted = re.compile(re.escape(prompt)) if isinstance(prompt, str) else prompt
        while (found := wanted.search(self._seen)) is None:
            data = self.socket.recv(65536)
            assert data, (wanted.pattern, self._seen)
            self._seen += data.decode()
        said = self._seen[: found.start()]
        self.last = found.group()
        self._seen = self._seen[found.end() :]
        return said

    def ask(self, line: str, prompt: str | re.Pattern[str] = PROMPT) -> str:
        self.send(line)
        return self.answer(prompt)

    def leave(self) -> None:
        self.socket.close()
