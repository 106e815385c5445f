"""What stands beside the program in a child: nothing, asyncio's debug mode, a console, a peer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

OURS = ("console", "tracked", "tracked 10")
PEERS = ("aiomonitor", "aiomonitor + hook")
SIDES = ("plain", "control", "console", "tracked", "tracked 10", "debug", *PEERS)
"""``control`` is plain once more: what it differs by is noise. ``tracked`` records locks and
one frame of each task's creation, ``tracked 10`` ten frames."""


def available(peer: str) -> tuple[str, ...]:
    """The sides that can be measured."""
    return SIDES if peer else tuple(side for side in SIDES if side not in PEERS)


@contextmanager
def beside(side: str) -> Iterator[int]:
    """Start what ``side`` says, in the running loop; gives its port, 0 for none."""
    loop = asyncio.get_running_loop()
    if side in OURS:
        import asyncconsole  # noqa: PLC0415 - the other sides must not have it

        frames = {"console": 0, "tracked": 1, "tracked 10": 10}[side]
        with asyncconsole.start(port=0, track_tasks=frames, track_locks=bool(frames)) as console:
            yield console.port or 0
    elif side in PEERS:
        import aiomonitor  # noqa: PLC0415 - as above

        port, web = free_port(), free_port()
        with aiomonitor.start_monitor(
            loop,
            port=port,
            webui_port=web,
            console_enabled=False,
            hook_task_factory=side != "aiomonitor",
        ):
            yield port
    else:
        loop.set_debug(side == "debug")
        yield 0


def free_port() -> int:
    """A port that is free at the moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
