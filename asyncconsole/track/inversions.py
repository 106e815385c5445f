"""Circles of orders, told as plain data."""

from __future__ import annotations

from collections.abc import Generator

from asyncconsole.capture import futures
from asyncconsole.capture.expressions import awaited, taken
from asyncconsole.capture.limits import limited, tries
from asyncconsole.capture.names import base
from asyncconsole.capture.program import Program
from asyncconsole.capture.records import Site, frame_at, line_at
from asyncconsole.capture.waits import describe
from asyncconsole.model import Inversion, Order, OrderedLock
from asyncconsole.track.cases import Case, Known, places
from asyncconsole.track.circles import Circle, Step, search
from asyncconsole.track.order import OrderBook


class Inversions:
    """What a table of orders amounts to; worked out anew when the table has changed.

    Args:
        program: Knows the names of locks and the numbers of tasks.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._of: tuple[object, int] = (None, 0)
        self._circles: list[Circle] = []

    def told(self, book: OrderBook) -> Generator[None, None, tuple[Inversion, ...]]:
        """The circles now.

        Args:
            book: The table.

        Yields:
            None, between slices.
        """
        live = book.live()
        of = book.token, book.version
        if of != self._of:
            found = []
            for circle in search(live, insists):
                if circle is None:
                    yield
                else:
                    found.append(circle)
            self._circles, self._of = found, of
        alive = {id(entry) for entry in live}
        circles = [
            circle
            for circle in self._circles
            if all(id(link.entry) in alive for link in circle.links)
        ]
        if not circles:
            return ()
        names = yield from self._names(circles)
        return tuple(
            Inversion(
                tuple(self._order(link, names) for link in circle.links),
                circle.same,
                circle.alone,
            )
            for circle in circles
        )

    def _names(self, circles: list[Circle]) -> Generator[None, None, dict[int, str]]:
        """Names of the locks, by their ids."""
        locks = [
            lock
            for circle in circles
            for link in circle.links
            for known in (link.entry.first, link.entry.second)
            if (lock := known.lock()) is not None
        ]
        return (yield from self._program.titles(locks))

    def _order(self, link: Step, names: dict[int, str]) -> Order:
        entry, task = link.entry, link.case.task()
        return Order(
            first=self._lock(entry.first, entry.held, names),
            second=self._lock(entry.second, entry.taken, names),
            held=frame_at(entry.held),
            taken=frame_at(entry.taken),
            task=link.case.name,
            number=link.case.number,
            ended=task is None or futures.done(task),
            times=entry.times,
            elsewhere=link.elsewhere,
        )

    def _lock(self, known: Known, site: Site, names: dict[int, str]) -> OrderedLock:
        lock = known.lock()
        made = frame_at(known.made) if known.made is not None else None
        name = names.get(id(lock), "") if lock is not None else ""
        if not name:
            line = line_at(site)
            name = (
                awaited(site.code, line, site.instruction, lends=False)
                or taken(site.code.co_filename, line, None, lends=False)
                or (f"created at {base(made.file)}:{made.line}" if made is not None else "unnamed")
            )
        return OrderedLock(
            type=describe(lock) if lock is not None else known.kind,
            name=name,
            resource=f"L{self._program.things.of(lock)}" if lock is not None else None,
            made=made,
        )


def insists(case: Case) -> bool:
    """Whether the task would have waited for ever, had the lock never become free."""
    if case.insists is None:
        chain = list(places(case.chain))
        case.insists = not (limited(chain) or any(map(tries, chain[:1])))
    return case.insists
