"""Orders in which tasks took locks, where they go round in a circle."""

from __future__ import annotations

from dataclasses import dataclass

from asyncconsole.model.task import Frame


@dataclass(frozen=True, slots=True)
class OrderedLock:
    """A lock, or all locks that were created at one place.

    Attributes:
        type: Class name: ``Lock``, ``Semaphore``...
        name: See `asyncconsole.model.Resource`; of the lock that was met.
        resource: Its id (``L3``); None when it is gone.
        made: Where it was created; None for one that is older than tracking.
    """

    type: str
    name: str
    resource: str | None = None
    made: Frame | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A task took ``second``, or began to wait for it, while it held ``first``.

    Attributes:
        first: What it held.
        second: What it took.
        held: Where it had taken the first.
        taken: Where it took the second.
        task: Name of the task.
        number: Its id, also when it has ended.
        ended: Whether it has.
        times: How often that was seen with these two places.
        elsewhere: At how many other pairs of places the same order was seen.
    """

    first: OrderedLock
    second: OrderedLock
    held: Frame
    taken: Frame
    task: str
    number: int
    ended: bool = False
    times: int = 1
    elsewhere: int = 0


@dataclass(frozen=True, slots=True)
class Inversion:
    """Tasks that take locks in orders which can't all be right: they may meet half-way.

    Attributes:
        orders: Two or more; the second lock of each is the first of the next one, and of
            the last one that of the first.
        same: True when it was so with the very same locks; False when some of them only
            come from the same place.
        alone: True when one task did several of them, and no other has been seen to.
    """

    orders: tuple[Order, ...]
    same: bool = True
    alone: bool = False
