"""What the stall probe costs a server that is busy: throughput and delays, side by side in one run.

``python benchmarks/echo.py [--quick]``

An echo server on asyncio's streams, as busy as it can be, is asked by this process over many
connections at once, for half a second each, in another order each round: what disturbs the
machine for longer than that disturbs all of them. The servers wait when it is not their turn; now
and then all are replaced, since no two processes are equally fast.
"""

from __future__ import annotations

import asyncio
import random
import select
import socket
import statistics
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

from measure import TIMES, Budget, Child, Setting, duration, present, quantile, say, table

BEATS = {"console": None, "100 beats a second": 0.02}
"""Stall thresholds by side: the probe looks twice in that time, at most 100 times a second."""
BARE = "bare thread"
"""A thread that wakes 100 times a second and does nothing: no beat can cost less in Python."""
SIDES = ("plain", "control", BARE, *BEATS)
CONNECTIONS = 32
MESSAGE = b"x" * 63 + b"\n"
LIVES, ROUNDS, SECONDS, WARM = 6, 11, 0.5, 0.1
AGE = 9.0
"""Seconds before the first round: a console that has just started looks more often than later."""


@dataclass
class Echo:
    """What was measured: by side, messages a second and delays of each round."""

    rates: dict[str, list[float]] = field(default_factory=dict)
    delays: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def cost(self, side: str) -> float:
        """How much longer a message takes than without: the median of the rounds' ratios."""
        pairs = zip(self.rates["plain"], self.rates[side], strict=True)
        return statistics.median(plain / rate for plain, rate in pairs)

    def late(self, side: str, which: int) -> float:
        """The same of the delay's median (0) or its 99th percentile (1)."""
        pairs = zip(self.delays["plain"], self.delays[side], strict=True)
        return statistics.median(other[which] / plain[which] for plain, other in pairs)

    @property
    def text(self) -> str:
        """The table."""
        rows = [
            (
                side,
                f"{statistics.median(self.rates[side]):,.0f}/s",
                f"{TIMES}{self.cost(side):.3f}",
                duration(statistics.median(delay[0] for delay in self.delays[side])),
                f"{TIMES}{self.late(side, 0):.3f}",
                duration(statistics.median(delay[1] for delay in self.delays[side])),
                f"{TIMES}{self.late(side, 1):.3f}",
            )
            for side in SIDES
        ]
        return table(["side", "messages", "time each", "p50", "", "p99", ""], rows)

    @property
    def budgets(self) -> Sequence[Budget]:
        """What was to be kept to."""
        noise = abs(self.cost("control") - 1), abs(self.late("control", 1) - 1)
        found = []
        for side, limit in (("console", 1.02), ("100 beats a second", 1.05)):
            found.append(
                Budget(f"{side}: time of a message", self.cost(side), limit, TIMES, noise[0])
            )
            found.append(Budget(f"{side}: p99", self.late(side, 1), limit, TIMES, noise[1]))
        return found


def measure(where: Setting) -> Echo:
    """All rounds."""
    found = Echo({side: [] for side in SIDES}, {side: [] for side in SIDES})
    for _ in range(1 if where.quick else LIVES):
        with ExitStack() as stack:
            ports = {}
            for side in SIDES:
                child = Child(where, __file__, "--child", side)
                stack.callback(child.close)
                ports[side] = int(child.read())
            time.sleep(AGE)
            for side in [side for _ in range(ROUNDS) for side in random.sample(SIDES, len(SIDES))]:
                rate, delays = ask(ports[side], SECONDS)
                found.rates[side].append(rate)
                found.delays[side].append((quantile(delays, 0.5), quantile(delays, 0.99)))
    return found


def ask(port: int, seconds: float) -> tuple[float, list[float]]:
    """Ask over all connections at once; gives messages a second, and each one's delay."""
    ends = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    poll = select.epoll()
    by_number, sent, delays = {}, {}, []
    for end in ends:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        by_number[end.fileno()] = end
        poll.register(end.fileno(), select.EPOLLIN)
        sent[end.fileno()] = time.perf_counter()
        end.sendall(MESSAGE)
    began = time.perf_counter() + WARM
    until = began + seconds
    while (now := time.perf_counter()) < until:
        for number, _ in poll.poll(1):
            end = by_number[number]
            if not end.recv(4096):
                raise ConnectionResetError
            now = time.perf_counter()
            if now >= began:
                delays.append(now - sent[number])
            sent[number] = now
            end.sendall(MESSAGE)
    poll.close()
    for end in ends:
        end.close()
    return len(delays) / seconds, delays


async def serve(side: str) -> None:
    """A server, with what ``side`` says beside it."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):  # whoever asks goes away in the midst of it
            while line := await reader.readline():
                writer.write(line)
                await writer.drain()
        writer.close()

    def idle() -> None:
        while True:
            time.sleep(0.01)

    if side == BARE:
        threading.Thread(target=idle, daemon=True).start()
    if side in BEATS:
        import asyncconsole  # noqa: PLC0415 - the other sides must not have it

        asyncconsole.start(port=0, unix_socket=False, stall_threshold=BEATS[side])
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    say(server.sockets[0].getsockname()[1])
    await server.serve_forever()


if __name__ == "__main__":
    present(__doc__, measure, serve, words=1, quick="one sixth: a look, no result", peers=())
