"""What the functions that a task is suspended in may still do, read from their code.

A task that has passed a line, and can't come to it again, won't do what is there; nor what
stands behind a call that never returns.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType
from typing import TYPE_CHECKING, Any

from asyncconsole.capture import futures, heap
from asyncconsole.capture.autopsy.routines import read
from asyncconsole.capture.chain import walk
from asyncconsole.capture.code import code_facts, short
from asyncconsole.capture.exits import suspended_at
from asyncconsole.capture.loop_code import Point, point
from asyncconsole.model.autopsy import Routine

if TYPE_CHECKING:
    from asyncconsole.capture.program import Program

MOST = 5_000
"""Tasks that are told of."""

_Row = list[Any]


class _Ahead:
    """See the head of this module."""

    name = "ahead"

    def tell(self, program: Program) -> Iterator[Any]:
        """In the frozen copy.

        Yields:
            ``[[task...], [[file, line, function, uses, calls]...]]``: tasks that are suspended
            at the same place, and their functions from the outermost on; see `routines`.
        """
        places: dict[tuple[tuple[CodeType, int], ...], list[int]] = {}
        tasks = heap.tasks(program.loops)[:MOST]
        while tasks:
            task = tasks.pop()
            number = program.tasks.known(task)
            if not number or futures.waiter(task) is None:
                continue
            levels = [
                one for one in walk(futures.coroutine(task)).levels if code_facts(one.code).own
            ]
            stops = tuple(
                (one.code, at) for one in levels if (at := suspended_at(one.owner)) is not None
            )
            if stops and len(stops) == len(levels):
                places.setdefault(stops, []).append(number)
        for stops, numbers in places.items():
            yield [numbers, list(_rows(stops))]

    def read(self, values: list[Any]) -> dict[str, Any]:
        """The model's view of it."""
        return {
            "ahead": tuple(
                (
                    tuple(numbers),
                    tuple(
                        Routine(file, line, name, tuple(map(tuple, uses)), tuple(calls))
                        for file, line, name, uses, calls in rows
                    ),
                )
                for numbers, rows in values
            )
        }


SCAN = _Ahead()


def _rows(stops: tuple[tuple[CodeType, int], ...]) -> Iterator[_Row]:
    """The functions of one stack, outermost first."""
    points: list[Point] = [point(code, at) for code, at in stops]
    for index, (code, _) in enumerate(stops):
        here = points[index]
        stays = any(inner.endless for inner in points[index + 1 :])
        used, called = read(code, here.failing if stays else here.ahead)
        function = short(getattr(code, "co_qualname", code.co_name))
        yield [code.co_filename, code.co_firstlineno, function, used, sorted(called)]
