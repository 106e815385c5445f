"""Orders that go round in a circle: the ones in which tasks can meet half-way.

Each order of a circle should have come about in another task, and no two of these may have
held the same lock besides (a gate): then they can't both be half-way at once. An order that
only ever came about under a timeout, or by asking ``locked()`` first, gives way by itself.

One task can't meet itself. That it took the very same two locks in both orders is told all the
same, with that doubt: another one may come to run the code. Not so for locks of one class, which
a single worker may well take in whatever order they come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from asyncconsole.track.cases import Case, Entry

MOST = 32
"""Circles that are told."""

LENGTHS = (2, 3, 4, 8, 64)
"""Circles are searched up to each of these lengths in turn: short ones first."""

STEPS = 20_000
"""Steps of the search for each length."""

SLICE = 1_000
"""Steps after which others get a turn."""


@dataclass(frozen=True, slots=True)
class Step:
    """One order of a circle.

    Attributes:
        entry: The order.
        case: In which it came about.
        elsewhere: How many other pairs of places have the same order.
    """

    entry: Entry
    case: Case
    elsewhere: int


@dataclass(frozen=True, slots=True)
class Circle:
    """Orders that go round.

    Attributes:
        links: The second lock of each is of the class of the next one's first.
        same: True when it is that very lock.
        alone: True when a task did more than one of them.
    """

    links: tuple[Step, ...]
    same: bool
    alone: bool


_Options = list[tuple[Entry, Case]]
_Edges = dict[Any, dict[Any, _Options]]


def search(entries: list[Entry], insists: Callable[[Case], bool]) -> Iterator[Circle | None]:
    """The circles among orders, each set of classes once, short ones first.

    Args:
        entries: The orders.
        insists: False for a case that gives way by itself.

    Yields:
        Circles, and None between slices.
    """
    edges = _edges(entries)
    _prune(edges)
    if not edges:
        return
    for options in [options for row in edges.values() for options in row.values()]:
        options[:] = [(entry, case) for entry, case in options if insists(case)]
        yield None
    for row in edges.values():
        for node in [node for node, options in row.items() if not options]:
            del row[node]
    _prune(edges)
    counts = {
        (start, end): len({id(entry) for entry, _ in options})
        for start, row in edges.items()
        for end, options in row.items()
    }
    found: list[frozenset[Any]] = []
    for same, alone in ((True, False), (False, False), (True, True)):
        for most in LENGTHS:
            walk = _Walk(edges, most, found, same=same, alone=alone)
            for path in walk.paths():
                if path is None:
                    yield None
                    continue
                links = [
                    Step(entry, case, counts[start, end] - 1) for start, end, entry, case in path
                ]
                yield Circle(tuple(links), same, alone)
                if len(found) >= MOST:
                    return


def _edges(entries: list[Entry]) -> _Edges:
    """Nodes are classes; of orders within a class, the very locks."""
    edges: _Edges = {}
    for entry in entries:
        first, second = entry.first, entry.second
        start, end = (first.number, second.number) if entry.within else (first.key, second.key)
        options = edges.setdefault(start, {}).setdefault(end, [])
        options += [(entry, case) for case in list(entry.cases)]
    return edges


def _prune(edges: _Edges) -> None:
    """Take away what leads nowhere, or where nothing leads to: it is in no circle."""
    while True:
        targets = {end for row in edges.values() for end in row}
        for row in edges.values():
            for end in [end for end in row if end not in edges]:
                del row[end]
        gone = [start for start, row in edges.items() if not row or start not in targets]
        if not gone:
            return
        for start in gone:
            del edges[start]


_Leg = tuple[Any, Any, Entry, Case]


class _Walk:
    """One search for circles up to a length."""

    def __init__(
        self, edges: _Edges, most: int, found: list[frozenset[Any]], *, same: bool, alone: bool
    ) -> None:
        self._edges, self._most, self._found = edges, most, found
        self._same, self._alone = same, alone
        self._order = {node: index for index, node in enumerate(edges)}
        self._left = STEPS
        self._path: list[_Leg] = []
        self._on: set[Any] = set()

    def paths(self) -> Iterator[list[_Leg] | None]:
        """Circles, each from its first node; None between slices."""
        for start in self._edges:
            self._on = {start}
            yield from self._from(start, start)
            if self._left <= 0:
                return

    def _from(self, start: Any, node: Any) -> Iterator[list[_Leg] | None]:
        for end, options in self._edges[node].items():
            closes = end == start
            if not closes and (
                end in self._on
                or self._order[end] < self._order[start]
                or len(self._path) + 1 >= self._most
            ):
                continue
            if closes and self._known():
                continue
            for entry, case in options:
                self._left -= 1
                if self._left <= 0:
                    return
                if self._left % SLICE == 0:
                    yield None
                if not self._fits(entry, case, closes=closes):
                    continue
                self._path.append((node, end, entry, case))
                if closes:
                    self._found.append(frozenset(self._on))
                    yield list(self._path)
                else:
                    self._on.add(end)
                    yield from self._from(start, end)
                    self._on.discard(end)
                self._path.pop()
                if closes or self._known():
                    break

    def _known(self) -> bool:
        """Whether a circle of these nodes, or of some of them, has been found."""
        return any(self._on >= nodes for nodes in self._found)

    def _fits(self, entry: Entry, case: Case, *, closes: bool) -> bool:
        """Whether a case can be half-way at the same time as those of the path."""
        if self._alone and entry.within:
            return False
        for _, _, _, other in self._path:
            if other.holding & case.holding or (other.task is case.task and not self._alone):
                return False
        if self._same and self._path:
            if self._path[-1][3].locks[1] != case.locks[0]:
                return False
            if closes and self._path[0][3].locks[0] != case.locks[1]:
                return False
        return True
