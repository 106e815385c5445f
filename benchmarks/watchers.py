"""Fifty people who watch the same program: what its loop feels, and what they get.

``python benchmarks/watchers.py [--quick]``

The program is the one of ``scale.py`` with 10,000 tasks. Each client holds a session as
``asyncconsole connect`` does at a terminal, and types ``watch 0.2 ps``.
"""

from __future__ import annotations

import json
import selectors
import socket
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import scale
from measure import Budget, Child, Setting, duration, present, table

CLIENTS = 50
TASKS = 10_000
SECONDS, WARM = 15.0, 4.0
LINE = "watch 0.2 ps"
HELLO = {"interactive": True, "width": 120, "height": 50, "keys": True, "screen": True}


class Watcher:
    """One person; counts the answers that were drawn."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=scale.LONGEST)
        self.sock.sendall(b"ASYNCCONSOLE/1 " + json.dumps(HELLO).encode() + b"\n")
        self.rounds = 0
        self._buffer = b""
        self._asked = False

    def hear(self) -> None:
        """Take what has come."""
        data = self.sock.recv(1 << 20)
        if not data:
            raise ConnectionResetError
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            said = json.loads(line)
            if "prompt" in said and not self._asked:
                self._asked = True
                self.sock.sendall(json.dumps({"line": LINE}).encode() + b"\n")
            self.rounds += self._asked and "out" in said  # what has changed is one message


@dataclass
class Watched:
    """What was found."""

    rows: list[tuple[str, ...]] = field(default_factory=list)
    budgets: list[Budget] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The table."""
        return table(("clients", "answers a second, each", "delay p50", "p99", "max"), self.rows)


def measure(where: Setting) -> Watched:
    """Nobody, one, and all of them."""
    found = Watched()
    for clients in (0, 1, CLIENTS):
        program = Child(where, str(Path(scale.__file__)), "--child", "console", str(TASKS), "idle")
        try:
            port = program.read()[0]
            seconds = 4.0 if where.quick else SECONDS
            rates, delay = _watch(program, port, clients, seconds)
        finally:
            program.close()
        least = f"{statistics.median(rates):.1f} (least {min(rates):.1f})" if rates else ""
        found.rows.append((str(clients), least, *map(duration, delay)))
        if clients == CLIENTS:
            found.budgets = [
                Budget("loop delay with 50 watchers: p99", delay[1] * 1000, 6, "ms"),
                Budget("loop delay with 50 watchers: max", delay[2] * 1000, 25, "ms"),
                Budget("watchers that got nothing", sum(rate == 0 for rate in rates), 0, ""),
            ]
    return found


def _watch(
    program: Child, port: int, clients: int, seconds: float
) -> tuple[list[float], Sequence[float]]:
    """Answers a second of each client, and the delays of the program's loop meanwhile."""
    people = [Watcher(port) for _ in range(clients)]
    poll = selectors.DefaultSelector()
    for person in people:
        poll.register(person.sock, selectors.EVENT_READ, person)
    try:
        _listen(poll, WARM)
        program.ask("reset")
        before = [person.rounds for person in people]
        _listen(poll, seconds)
        delay = program.ask("delays")
    finally:
        for person in people:
            person.sock.close()
        poll.close()
    pairs = zip(people, before, strict=True)
    return [(person.rounds - first) / seconds for person, first in pairs], delay


def _listen(poll: selectors.BaseSelector, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        for key, _ in poll.select(left):
            key.data.hear()


if __name__ == "__main__":
    present(__doc__, measure, scale.child, words=3, quick="four seconds each", peers=())
