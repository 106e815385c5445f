"""A program with a console on a pretended target; run as a child process.

Its one argument is JSON: options of `launch`, and ``fds`` (descriptors to waste first),
``tasks`` (how many the target pretends), ``slow`` (seconds that a snapshot takes),
``penalty`` (seconds that a wrong token costs).
It prints one line of JSON once it serves, and ends when its stdin does.
"""

import asyncio
import json
import logging
import os
import sys
import threading
import time

from asyncconsole.commands.deeds import CancelOutcome
from asyncconsole.model import Frame, Loop, Snapshot, Stall, Task, Wait
from asyncconsole.model.callbacks import SlowAccount
from asyncconsole.model.status import ProbeStatus, TrackStatus
from asyncconsole.serve import access, console
from asyncconsole.serve.exposure import Exposure
from asyncconsole.serve.rules import IDLE, Rules

SLOW = "tasks"
"""The scope that `ps` asks for, and no greeting."""

OPTIONS = json.loads(sys.argv[1])


class Target:
    read_only = False

    def __init__(self, loop):
        self.loop = loop

    def start(self):
        pass

    def close(self):
        pass

    watcher = None
    side = None
    looks = 0
    """Snapshots that anybody asked for."""

    async def snapshot(self, scope="all", *, first=None, only=None):
        Target.looks += 1
        Target.side = self.loop
        if scope == SLOW and OPTIONS.get("slow"):
            print(json.dumps({"looking": scope}), flush=True)
            await asyncio.sleep(OPTIONS["slow"])
        tasks = tuple(
            Task(
                number,
                f"task-{number}",
                "waiting",
                "work",
                1,
                wait=Wait("future", "a future"),
                frames=(Frame("/app/bank.py", 22, "transfer"),),
            )
            for number in range(1, OPTIONS.get("tasks", 3) + 1)
        )
        return Snapshot(
            pid=os.getpid(),
            program="bank.py",
            python="3.x",
            taken_at="2026-01-01T00:00:00Z",
            uptime=190.0,
            loops=(Loop(1, "asyncio.Loop", tasks=len(tasks)),),
            tasks=tasks,
            total=len(tasks),
        )

    async def stream(self, *, first=None):
        yield await self.snapshot(SLOW, first=first)

    async def around(self, tasks=(), resources=(), witnesses=(), *, deep=False):
        return await self.snapshot("all")

    async def settle(self):
        await asyncio.sleep(0)

    async def cancel(self, tasks, wait, witnesses=()):
        done = [CancelOutcome(number, f"task-{number}", "cancelled", 0.001) for number in tasks]
        return done, {}

    def stalls(self):
        if not OPTIONS.get("blocked"):
            return ()
        return (
            Stall(
                1, 1, "2026-01-01T00:00:00Z", 4.1, True, "blocking_call", 1, "task-1",
                Frame("/app/ledger.py", 88, "read_ledger"), call="time.sleep",
            ),
        )  # fmt: skip

    def probe(self, *, on=None, threshold=None, polls=None, slow=None):
        return ProbeStatus(True, 0.1, 0.1)

    def slow_callbacks(self):
        return SlowAccount(on=False, slow=0.01)

    def polls(self, task):
        return None

    def track(self, *, tasks=None, locks=None):
        return TrackStatus(False, 0, False, 0, 0)

    def ended(self):
        return ()


def main():
    access.PENALTY = OPTIONS.get("penalty", access.PENALTY)
    wasted = [os.open(os.devnull, os.O_RDONLY) for _ in range(OPTIONS.get("fds", 0))]
    logging.basicConfig(level=logging.INFO, format="%(name)s %(levelname)s %(message)s")
    served = console.launch(
        Target,
        Rules(
            read_only=OPTIONS.get("read_only", False),
            repl=OPTIONS.get("repl", True),
            idle=OPTIONS.get("idle", IDLE),
        ),
        Exposure(OPTIONS.get("token"), everybody=OPTIONS.get("everybody", False)),
        {},
        host=OPTIONS.get("host", "127.0.0.1"),
        port=0,
        unix=True,
        strict=False,
    )
    said = {"port": served.port, "socket": served.socket_path, "pid": os.getpid()}
    print(json.dumps(said), flush=True)
    beats = 0
    for line in sys.stdin:
        if line.strip() == "burn":  # many short turns of the interpreter, while others are served
            end = time.monotonic() + 1.0
            while time.monotonic() < end:
                beats += 1
        tasks = len(asyncio.all_tasks(Target.side)) if Target.side is not None else 0
        said = {"threads": threading.active_count(), "looks": Target.looks, "tasks": tasks}
        print(json.dumps(said), flush=True)
    served.close()
    assert len(wasted) == OPTIONS.get("fds", 0)


if __name__ == "__main__":
    main()
