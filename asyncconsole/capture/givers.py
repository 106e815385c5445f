"""Tasks that will give back a primitive which they never take.

A watchdog that calls ``lock.release()``, or a lock that one task takes and another gives
back as a signal: who holds it now is certain, but not that only its holder can free it.
Read from code, generously: a name that can mean several objects means all of them.
"""

from __future__ import annotations

import types
from typing import Any

from asyncconsole.capture._claims import Expression
from asyncconsole.capture.chain import Level
from asyncconsole.capture.code import code_facts
from asyncconsole.capture.drafts import Draft, members
from asyncconsole.capture.exits import referents
from asyncconsole.capture.flow import given_only
from asyncconsole.capture.objects import attribute, contents

MOST = 2_000
"""Objects that one name is taken to mean."""


def given_back(listed: list[Draft]) -> dict[int, set[int]]:
    """By the ``id`` of an object: ids of the tasks whose code releases and never takes it."""
    found: dict[int, set[int]] = {}
    for draft in listed:
        if not draft.grip.releases:
            continue
        for level in draft.chain.levels:
            if not code_facts(level.code).releases:
                continue
            for path in given_only(level.code):
                for thing in _meanings(level, path):
                    found.setdefault(id(thing), set()).add(id(draft.task))
    return found


def _meanings(level: Level, path: Expression) -> list[Any]:
    """Everything that an expression can mean in a suspended frame."""
    (kind, value), *steps = path
    if kind == "global":
        things = [found for space in _globals(level) if (found := space.get(value)) is not None]
    else:
        held = referents(level.owner)
        cells = tuple(item for item in held if type(item) is types.CellType)
        things = held + contents(cells)
    for step, detail in steps:
        if step == "attr":
            found = [attribute(thing, detail) for thing in things[:MOST]]
        else:
            found = [member for thing in things[:MOST] for member in members(thing)[:MOST]]
        things = [thing for thing in found if thing is not None]
    return things[:MOST]


def _globals(level: Level) -> list[dict[str, Any]]:
    """The globals of a level's frame; none when it has ended."""
    for name in ("cr_frame", "gi_frame", "ag_frame"):
        frame = getattr(level.owner, name, None)
        if frame is not None:
            return [frame.f_globals]
    return []
