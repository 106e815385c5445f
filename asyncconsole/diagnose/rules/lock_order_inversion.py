"""Locks that tasks take in orders which contradict each other: nothing hangs yet."""

from __future__ import annotations

from collections.abc import Iterable

from asyncconsole.diagnose.groups import Knot
from asyncconsole.diagnose.phrases import base, counted, listed, spot
from asyncconsole.diagnose.rule import Case
from asyncconsole.model import Finding, Frame, Inversion, Order, OrderedLock, ResourceRef, TaskRole


class _LockOrderInversion:
    kind = "lock_order_inversion"
    rank = 99  # what its tasks wait for now belongs to others
    fix = (
        "take these locks in one order everywhere (those of one kind sorted by a key), or use "
        "one lock for both; where that can't be, take the inner one under a timeout"
    )

    def check(self, case: Case) -> Iterable[Finding]:
        """A finding for each circle of orders that is no deadlock already."""
        if not case.snapshot.inversions:
            return
        knots = case.graph.knots(lenient=True)
        for inversion in case.snapshot.inversions:
            if not any(_tied(case, knot, inversion) for knot in knots):
                yield self._finding(inversion)

    def _finding(self, inversion: Inversion) -> Finding:
        orders = inversion.orders
        locks = [order.first for order in orders]
        return Finding(
            id="",
            verdict="suspect",
            proven=False,
            kind=self.kind,
            summary=_summary(orders),
            tasks=tuple(
                dict.fromkeys(TaskRole(order.number, order.task, "cause") for order in orders)
            ),
            resources=tuple(
                ResourceRef(lock.resource, lock.type, lock.name)
                for lock in locks
                if lock.resource is not None
            ),
            evidence=(*map(_seen, orders), *_created(inversion)),
            fix=self.fix,
            assumes=_ALONE if inversion.alone else _APART,
        )


_APART = (
    "not proven: nothing hangs by it now; it does once these tasks are half-way at the same time, "
    "unless something else than a lock keeps them apart"
)
_ALONE = (
    "not proven: nothing hangs by it now, and so far no other task was seen to take them so, and "
    "one can't meet itself; it hangs once two tasks run these places at the same time"
)


def _tied(case: Case, knot: Knot, inversion: Inversion) -> bool:
    """Whether tasks wait for each other by these very orders: then that is the finding."""
    ids = {order.first.resource for order in inversion.orders}
    if ids.issubset(knot.resources):
        return True
    waiting = {
        (frame.file, frame.line)
        for number in knot.members
        for frame in case.graph.tasks[number].frames
    }
    return all((order.taken.file, order.taken.line) in waiting for order in inversion.orders)


def _summary(orders: tuple[Order, ...]) -> str:
    locks = listed([_what(order.first) for order in orders], 6)
    how = "in both orders" if len(orders) == 2 else "in orders that go round in a circle"  # noqa: PLR2004 - a pair reads differently
    steps = [
        f"{order.task} took {order.second.name} at {_line(order.taken)} "
        f"while it held {order.first.name} (taken at {_line(order.held)})"
        for order in orders
    ]
    return f"{locks} are taken {how}: {listed(steps, 4)}"


def _seen(order: Order) -> str:
    """``mover (3) took Lock B (L2) at app.py:12 in move while it held ...``."""
    ended = ", which has ended," if order.ended else ""
    text = (
        f"{order.task} ({order.number}){ended} took {_what(order.second, number=True)} "
        f"at {spot(order.taken)} while it held {_what(order.first, number=True)}, "
        f"taken at {spot(order.held)}"
    )
    if order.times > 1:
        text += f"; seen {order.times} times"
    if order.elsewhere:
        text += f"; the same order at {counted(order.elsewhere, 'other pair')} of places"
    return text


def _created(inversion: Inversion) -> Iterable[str]:
    """Which locks these are, where each time it were others."""
    if not inversion.same:
        places = [spot(order.first.made) for order in inversion.orders if order.first.made]
        yield (
            "Not the very same locks were met in all of these orders, but locks created at the "
            f"same places: {listed(list(dict.fromkeys(places)), 6)}"
        )


def _what(lock: OrderedLock, *, number: bool = False) -> str:
    """``Lock A``, ``Lock A (L1)``."""
    ident = f" ({lock.resource})" if number and lock.resource is not None else ""
    return f"{lock.type} {lock.name}{ident}"


def _line(frame: Frame) -> str:
    return f"{base(frame.file)}:{frame.line}"


RULE = _LockOrderInversion()
