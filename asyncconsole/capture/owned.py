"""Primitives that keep their owners themselves, and pools that keep count of what is out."""

from __future__ import annotations

from typing import Any

from asyncconsole.capture.drafts import Draft
from asyncconsole.capture.holders import Grip, Held
from asyncconsole.capture.readers import Facts, reader_for

Claims = list[tuple[Draft, Held]]


def owned(thing: Any, claims: Claims, drafts: dict[int, Draft]) -> Claims | None:
    """What is left of the claims to a primitive that knows its owners.

    An owner that no claim names gets one without a line, which also goes to its draft.

    Args:
        thing: The primitive.
        claims: What stacks, code and records say.
        drafts: Every draft, by the ``id`` of its task.

    Returns:
        None when it does not know them.
    """
    owners = owners_of(thing)
    if owners is None:
        return None
    known = {id(draft.task): held for draft, held in claims}
    found = []
    for owner in owners:
        draft = drafts.get(id(owner))
        if draft is None:
            continue  # it has ended, or is not ours to see
        held = known.get(id(owner))
        if held is None:
            held = Held(thing, thing, -1, 0, None, "owner", certain=True)
            if not isinstance(draft.grip.held, list):  # shared by all that hold nothing
                draft.grip = Grip(releases=draft.grip.releases)
            draft.grip.held.append(held)
        if held.how in {"flow", "inside"}:
            held.how = "owner"  # at the line that the code shows
        held.certain = held.provable = True
        found.append((draft, held))
    return found


def owners_of(thing: Any) -> tuple[Any, ...] | None:
    """All tasks that have a primitive, by its own word; None where it has none."""
    reader = reader_for(thing)
    try:
        return reader.owners(thing) if reader is not None else None
    except Exception:  # an unknown version: what the stacks show stands
        return None


def unknown(thing: Any, facts: Facts, claims: Claims) -> int | None:
    """Connections of a pool that are out to nobody known; None for what is no pool."""
    reader = reader_for(thing)
    if reader is None or not reader.lends or facts.taken is None:
        return None
    known = {id(held.item) for _, held in claims if held.item is not None}
    return max(0, facts.taken - len(known))
