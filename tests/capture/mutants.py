"""The prover, broken on purpose: the programs of ``nasty.py`` must find each of these out.

``apply(name)`` breaks it for the rest of the process.
"""

from __future__ import annotations

import dataclasses

from asyncconsole.capture import resources
from asyncconsole.diagnose import graph, verdict

MUTANTS = {}


def mutant(function):
    MUTANTS[function.__name__] = function
    return function


def apply(name):
    MUTANTS[name]()


def _with(method, change, of=graph.Graph):
    """Replace a method by one that gets the original."""
    original = getattr(of, method)
    setattr(of, method, lambda *args, **more: change(original, *args, **more))


@mutant
def uncertain_holders_are_believed():
    """``certain=False`` is ignored."""

    def blockers(_original, _self, item, _lenient):
        return tuple(holder.task for holder in item.holders)

    _with("_blockers", blockers)


@mutant
def timeouts_are_ignored():
    def made(original, self, snapshot, moving=frozenset()):
        tasks = [
            dataclasses.replace(
                task,
                deadline=None,
                wait=task.wait and dataclasses.replace(task.wait, due=None),
            )
            for task in snapshot.tasks
        ]
        original(self, dataclasses.replace(snapshot, tasks=tuple(tasks)), moving)

    _with("__init__", made)


@mutant
def one_holder_is_all_holders():
    """Permits that others have are ignored."""

    def blockers(_original, _self, item, _lenient):
        return tuple(holder.task for holder in item.holders if holder.certain)

    _with("_blockers", blockers)


@mutant
def nothing_is_confirmed():
    """One look, at different moments of different tasks, is enough."""
    confirm = verdict.confirm

    def believe(first, second=None):
        found = verdict.look(second if second is not None else first).findings
        return dataclasses.replace(confirm(first), findings=found)

    verdict.confirm = believe


@mutant
def nobody_fails():
    """A gather or TaskGroup is taken to wait for all of its tasks."""

    def freed(original, self, task, moves, reached, _lenient):
        return original(self, task, moves, reached, True)

    _with("_freed", freed)


@mutant
def groups_never_cancel():
    _with("_failed_with", lambda *_: [])


@mutant
def nobody_cancels():
    """Tasks that cancel others are ignored."""
    _with("watchdogs", lambda *_: [])
    _with("_may_be_cancelled", lambda *_: set())
    timeouts_are_ignored()


@mutant
def all_are_needed():
    """``FIRST_COMPLETED`` and the like wait for all."""

    def freed(original, self, task, moves, reached, lenient):
        if task.wait is not None:
            task = dataclasses.replace(task, wait=dataclasses.replace(task.wait, needs="all"))
        return original(self, task, moves, reached, lenient)

    _with("_freed", freed)


@mutant
def subclasses_are_sound():
    """What a subclass does in ``acquire`` is ignored."""
    from asyncconsole.capture.readers import lock, semaphore

    for module in (lock, semaphore):
        module.stock = lambda *_: True


@mutant
def waiting_on_a_condition_keeps_its_lock():
    resources.Resources._given_back = lambda _self: {}
