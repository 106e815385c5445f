"""How long commands take on many tasks, and how long they delay the program's loop.

``python benchmarks/scale.py [--quick]``

The program has ten tasks to a lock: one holds it and waits for an event, nine queue. A task
of its own wakes up each millisecond and notes how late it was. Under churn another one starts
and ends some thousand tasks a second; a busy program never sleeps, its turns are short.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from measure import (
    DASH,
    Budget,
    Child,
    Setting,
    TooLateError,
    duration,
    present,
    quantile,
    say,
    table,
)
from sides import OURS, beside

LONGEST = 30.0
"""Seconds a command may take."""

QUIET = 1.0
"""Seconds of looking at the loop's delay while nobody asks."""


class Delays:
    """How late a task was that wanted to wake up each millisecond."""

    def __init__(self) -> None:
        self._found: list[float] = []

    async def watch(self) -> None:
        """Run for ever."""
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(0.001)
            self._found.append(loop.time() - before - 0.001)

    def take(self) -> list[float]:
        """The delays since the last call: median, 99th percentile, longest."""
        found, self._found = self._found, []
        if not found:
            return [0.0, 0.0, 0.0]
        return [quantile(found, 0.5), quantile(found, 0.99), max(found)]


async def holder(lock: asyncio.Lock, taken: asyncio.Event, never: asyncio.Event) -> None:
    async with lock:
        taken.set()
        await never.wait()


async def waiter(lock: asyncio.Lock) -> None:
    async with lock:
        pass


async def brief() -> None:
    await asyncio.sleep(0.005)


async def churn() -> None:
    """Some thousand tasks a second, each alive for a few milliseconds."""
    alive: set[asyncio.Task[None]] = set()
    while True:
        for _ in range(5):
            task = asyncio.create_task(brief())
            alive.add(task)
            task.add_done_callback(alive.discard)
        await asyncio.sleep(0.001)


async def spin() -> None:
    while True:  # noqa: ASYNC110 - turns without end are what it is for
        await asyncio.sleep(0)


async def child(side: str, count: str, how: str) -> None:
    """Say the port and a task's identity; then answer each line with the delays since."""
    never = asyncio.Event()
    tasks: list[asyncio.Task[None]] = []
    delays = Delays()
    with beside(side) as port:
        while len(tasks) < int(count):
            lock, taken = asyncio.Lock(), asyncio.Event()
            tasks.append(asyncio.create_task(holder(lock, taken, never)))
            tasks += [asyncio.create_task(waiter(lock)) for _ in range(9)]
            await taken.wait()
        more = {"churn": churn, "busy": spin}.get(how)
        if more is not None:
            tasks.append(asyncio.create_task(more()))
        tasks.append(asyncio.create_task(delays.watch()))
        say([port, tasks[5].get_name(), id(tasks[5])])

        def answer() -> None:
            while sys.stdin.readline():
                say(delays.take())

        listener = threading.Thread(target=answer, daemon=True)
        listener.start()
        await never.wait()


# Clients: connect, then run commands; seconds to the first row and to the last byte.

Timing = tuple[float, float]


class OurClient:
    """Speaks the protocol of docs/wire.md."""

    def __init__(self, port: int) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), timeout=LONGEST)
        self._sock.sendall(b'ASYNCCONSOLE/1 {"interactive": false, "width": 200}\n')
        self._lines = self._sock.makefile("rb")
        self._lines.readline()

    def run(self, command: str) -> Timing:
        """Run a command to its end; raises TooLateError or OSError."""
        began = time.monotonic()
        first = 0.0
        message = {"run": command, "timeout": LONGEST}
        self._sock.sendall(json.dumps(message).encode() + b"\n")
        while line := self._lines.readline():
            said = json.loads(line)
            if "out" in said and not first:
                first = time.monotonic() - began
            if "done" in said:
                if said["done"]:
                    raise TooLateError
                return first, time.monotonic() - began
        raise TooLateError

    def close(self) -> None:
        """Hang up."""
        self._sock.close()


class PeerClient:
    """A telnet that does what aiomonitor asks of one."""

    _ANSWERS = (
        (b"\xff\xfd\x18", b"\xff\xfb\x18"),
        (b"\xff\xfa\x18\x01", b"\xff\xfa\x18\x00ansi\xff\xf0"),
        (b"\xff\xfd\x1f", b"\xff\xfb\x1f\xff\xfa\x1f\x00\xc8\x00\x32\xff\xf0"),
    )
    _SENT, _PROMPT = b"\x1b[?2004l", b"\x1b[?2004h"

    def __init__(self, port: int) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), timeout=LONGEST)
        self._until(lambda seen: b">>> " in seen)

    def _until(self, enough: Callable[[bytes], bool]) -> bytes:
        seen = b""
        while not enough(seen):
            data = self._sock.recv(1 << 16)
            if not data:
                raise TooLateError
            for question, answer in self._ANSWERS:
                if question in data:
                    self._sock.sendall(answer)
            seen = seen[-(1 << 12) :] + data  # a prompt is short; the rest is not kept
        return seen

    def run(self, command: str) -> Timing:
        """Run a command to its end; raises TooLateError or OSError."""
        began = time.monotonic()
        self._sock.sendall(command.encode() + b"\r\n")
        rest = self._until(lambda seen: self._SENT in seen).partition(self._SENT)[2]
        if not rest.strip():
            rest = self._until(lambda seen: bool(seen.strip()))
        first = time.monotonic() - began
        if self._PROMPT not in rest:
            self._until(lambda seen: self._PROMPT in seen)
        return first, time.monotonic() - began

    def close(self) -> None:
        """Hang up."""
        self._sock.close()


COMMANDS = {
    "console": ("ps", "ps --limit 50", "where {name}", "locks", "deadlocks"),
    "aiomonitor": ("ps", "where {id}"),
}


@dataclass
class Scale:
    """What was found."""

    rows: list[tuple[str, ...]] = field(default_factory=list)
    budgets: list[Budget] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The table."""
        head = ("tasks", "beside", "command", "first row", "last byte", "delay p50", "p99", "max")
        return table(head, self.rows)

    def add(
        self, where: str, side: str, command: str, timing: Timing | None, delay: list[float]
    ) -> None:
        """One line of the table."""
        times = (DASH, DASH) if timing is None else tuple(map(duration, timing))
        self.rows.append((where, side, command, *times, *map(duration, delay)))


def measure(where: Setting) -> Scale:
    """Every size, mode and side."""
    found = Scale()
    counts = (1_000, 10_000) if where.quick else (1_000, 10_000, 100_000)
    for count in counts:
        for how in ("idle", "churn", "busy"):
            if how == "busy" and count != counts[0]:
                continue
            for side in ("plain", "debug", "console", "aiomonitor"):
                if side != "aiomonitor" or where.peer:
                    label = f"{count:,} {how}"
                    if time.monotonic() > where.end:
                        found.rows.append((label, side, "not run: the time was up", *[DASH] * 5))
                        continue
                    began = time.monotonic()
                    _one(found, where, side, (count, how, label))
                    took = time.monotonic() - began
                    print(f"  {label}, {side}: {took:.0f} s", file=sys.stderr)
    return found


def _one(found: Scale, where: Setting, side: str, what: tuple[int, str, str]) -> None:
    """One program, and every command once or a few times."""
    count, how, label = what
    program = Child(where, __file__, "--child", side, str(count), how)
    client: OurClient | PeerClient | None = None
    try:
        port, name, identity = program.read()
        program.ask("reset")
        time.sleep(QUIET)
        found.add(label, side, "nobody asks", None, program.ask("delays"))
        if not port:
            return
        began = time.monotonic()
        client = OurClient(port) if side in OURS else PeerClient(port)
        if side in OURS:
            client.run("version")
        first = time.monotonic() - began
        found.add(label, side, "the first client comes", (first, first), program.ask("delays"))
        if how == "busy" and side in OURS:
            found.budgets.append(Budget("busy loop: first client's answer", first, 1.0, "s"))
        for form in COMMANDS[side]:
            command = form.format(name=name, id=identity)
            shown = re.sub(r" [\w-]*\d{3,}$| Task-\d+$", " TASK", command)
            timings, delay = [], [0.0, 0.0, 0.0]
            program.ask("reset")
            try:
                for _ in range(1 if count >= 100_000 else 3):  # noqa: PLR2004 - the largest
                    timings.append(client.run(command))
                    delay = [max(pair) for pair in zip(delay, program.ask("delays"), strict=True)]
            except (TooLateError, OSError):
                late = f"> {LONGEST:.0f} s"
                found.rows.append(
                    (label, side, shown, late, late, *map(duration, program.ask("delays")))
                )
                client.close()
                client = OurClient(port) if side in OURS else PeerClient(port)
                _judge(found, (shown, how, count), LONGEST, None)
                continue
            first_row, last = (statistics.median(column) for column in zip(*timings, strict=True))
            found.add(label, side, shown, (first_row, last), delay)
            if side in OURS:
                _judge(found, (shown, how, count), last, delay)
    except (TooLateError, OSError) as error:
        found.rows.append((label, side, f"failed: {type(error).__name__}", *[DASH] * 5))
    finally:
        if client is not None:
            client.close()
        program.close()


SECONDS = {
    ("ps", 100_000): 2.0,
    ("ps --limit 50", 100_000): 0.5,
    ("where TASK", 100_000): 0.5,
    ("deadlocks", 100_000): 5.0,
    ("deadlocks", 10_000): 0.6,
}


def _judge(
    found: Scale, what: tuple[str, str, int], last: float, delay: list[float] | None
) -> None:
    """Compare with the budgets."""
    command, how, count = what
    if how == "busy":
        found.budgets.append(Budget(f"busy loop: `{command}`", last, 1.0, "s"))
        return
    limit = SECONDS.get((command, count))
    if limit is not None:
        found.budgets.append(Budget(f"`{command}`, {count:,} tasks, {how}", last, limit, "s"))
    if count == 100_000 and delay is not None:  # noqa: PLR2004 - the budget's size
        what_delay = f"loop delay in `{command}`, {count:,} tasks, {how}"
        found.budgets.append(Budget(f"{what_delay}: p99", delay[1] * 1000, 6, "ms"))
        found.budgets.append(Budget(f"{what_delay}: max", delay[2] * 1000, 25, "ms"))


if __name__ == "__main__":
    present(__doc__, measure, child, words=3, quick="up to 10,000 tasks")
