"""Which waits a signal ends: ``loop.add_signal_handler(SIGTERM, stop.set)``."""

from __future__ import annotations

import signal
from typing import Any

from asyncconsole.capture.drafts import Draft
from asyncconsole.capture.objects import attribute
from asyncconsole.capture.timers import targets


def note(listed: list[Draft], loops: list[Any]) -> None:
    """Add the signals whose handlers act on what a task waits for to its wait's details."""
    acts: dict[int, list[str]] = {}
    for loop in loops:
        for number, handle in _handlers(loop):
            callback, arguments = attribute(handle, "_callback"), attribute(handle, "_args")
            for target in targets(callback, arguments, 0):
                acts.setdefault(id(target), []).append(_name(number))
    if not acts:
        return
    for draft in listed:
        waiting = draft.waiting
        if waiting is not None:
            for thing in (waiting.thing, waiting.future, draft.task):
                for name in acts.get(id(thing), ()):
                    waiting.details.append(("ended by signal", name))


def _handlers(loop: Any) -> list[tuple[int, Any]]:
    """Signal numbers and the handles that a loop runs for them; uvloop hides its own."""
    found = attribute(loop, "_signal_handlers")
    if type(found) is not dict:
        return []
    return [(number, handle) for number, handle in list(found.items()) if isinstance(number, int)]


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
