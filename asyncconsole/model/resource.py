"""Everything a task can hold or queue for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Holder:
    """A task that has a primitive; the mirror image of `Hold`.

    Attributes:
        task: Id of the task.
        name: Name of the task.
        file: Where it took it.
        line: Line of the ``async with`` or ``acquire()``.
        function: Function that took it.
        since: Seconds, a lower bound; None when unknown.
        how: See `Hold.how`.
        certain: See `Hold.certain`.
        exact: See `Hold.exact`.
    """

    task: int
    name: str
    file: str
    line: int
    function: str
    since: float | None = None
    how: str = "stack"
    certain: bool = True
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Waiter:
    """A task in a primitive's queue.

    Attributes:
        task: Id of the task; None when a waiting future belongs to no known task.
        name: Name of the task.
        position: 1-based place in the queue.
        since: Seconds, a lower bound.
        role: ``get``, ``put`` or ``join`` on a queue, else "".
    """

    task: int | None
    name: str
    position: int
    since: float = 0.0
    role: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """One primitive.

    Attributes:
        id: ``L3``; stable for the process's life.
        type: Class name: ``Lock``, ``Semaphore``, ``Condition``, ``Event``, ``Queue``...
        name: ``name()`` given by the program, module global, ``Class.attribute``,
            ``DICT['key']``, local variable, or a clue.
        state: In words: ``locked``, ``0 of 3 free``, ``set``, ``3 items of 10``.
        locked: True when a newcomer would have to wait.
        holders: Who has it, as far as known.
        waiters: Who waits, in queue order.
        permits: How many tasks can hold it at once; None when not known.
        sound: True when its acquire and release are the standard library's own,
            so that "the holder gives it back" can be argued from.
        accounted: True when ``holders`` names every permit, each with certainty.
        unknown: Connections of a pool that are out to nobody known; None for what is
            no pool.
        loop: Id of the loop it is bound to, when known.
        details: Numbers worth showing (sizes, counters), name to value.
    """

    id: str
    type: str
    name: str
    state: str
    locked: bool = False
    holders: tuple[Holder, ...] = ()
    waiters: tuple[Waiter, ...] = ()
    permits: int | None = None
    sound: bool = False
    accounted: bool = False
    unknown: int | None = None
    loop: int | None = None
    details: tuple[tuple[str, str | int | float | bool | None], ...] = ()
