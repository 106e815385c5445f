"""Provers with one mistake each: the random programs must catch every one of them."""

from __future__ import annotations

from asyncconsole.capture.autopsy import wakes
from asyncconsole.diagnose import graph, sources

NAMES = (
    "no_surplus",
    "one_off",
    "no_weak_references",
    "no_timeouts",
    "every_permit",
    "nothing_owned",
)


def install(name: str) -> None:
    """Break the prover in that way."""
    globals()[name]()


def no_surplus():
    """References from elsewhere are not seen."""
    wakes._Visit.surplus = lambda self: {}


def one_off():
    """One reference from elsewhere is overlooked."""
    true = wakes._Visit.surplus

    def surplus(self):
        return {index: more for index, more in true(self).items() if more != 1}

    wakes._Visit.surplus = surplus


def no_weak_references():
    """Who has a weak reference can't get at the object."""
    wakes._Visit._follow_weak = lambda self, index: None


def no_timeouts():
    """Timeouts end nothing."""
    graph.Graph._may_be_cancelled = lambda self: set()
    graph.Graph._bounded = lambda self, task: False
    graph.Graph.watchdogs = lambda self, task: []
    true = graph.Graph._moves_by_itself

    def moves(self, task, lenient):
        import dataclasses

        if task.wait is not None and task.wait.kind == "wait_for":
            task = dataclasses.replace(task, wait=dataclasses.replace(task.wait, due=None))
        return true(self, task, lenient)

    graph.Graph._moves_by_itself = moves


def every_permit():
    """A semaphore is free only when all of its holders have gone on."""
    true = graph.Graph._freed

    def freed(self, task, moves, reached, lenient):
        needed = self._candidates(task, lenient)
        if task.wait is not None and task.wait.resource is not None and needed:
            return all(number in moves for number in needed)
        return true(self, task, moves, reached, lenient)

    graph.Graph._freed = freed


def nothing_owned():
    """A task that moves uses nothing of what it refers to."""
    sources.Sources.moves = lambda self, task: []
