"""What the console's own observers are set to."""

from __future__ import annotations

from typing import NamedTuple


class ProbeStatus(NamedTuple):
    """The stall probe: ``on``, ``threshold`` and ``interval`` in seconds.

    ``polls`` is true while callbacks are timed, and ``slow`` the seconds from which one counts
    as slow.
    """

    on: bool
    threshold: float
    interval: float
    polls: bool = False
    slow: float = 0.01


class TrackStatus(NamedTuple):
    """What is tracked.

    Attributes:
        tasks: True when new tasks are recorded.
        frames: Frames of a creation chain.
        locks: True when owners are recorded.
        ended: Ended tasks remembered.
        dropped: Ended tasks forgotten to make room.
        broken: Why task tracking switched itself off, or "".
        orders: Orders in which locks were taken, as far as remembered.
        unordered: Those for which there was no room.
    """

    tasks: bool
    frames: int
    locks: bool
    ended: int
    dropped: int
    broken: str = ""
    orders: int = 0
    unordered: int = 0


class DebugStatus(NamedTuple):
    """asyncio's debug mode of one loop.

    Attributes:
        loop: Its id.
        type: Class name with module.
        debug: True when debug mode is on.
        slow: Seconds after which a callback is logged as slow; None when the loop doesn't tell.
        was: Debug mode before the change.
        was_slow: Those seconds before it.
        pending: Debug mode is asked for, and the loop has not got to it yet.
        why: Why it has not, or what went wrong; "" for nothing.
    """

    loop: int
    type: str
    debug: bool
    slow: float | None
    was: bool
    was_slow: float | None
    pending: bool = False
    why: str = ""
