"""anyio's cancel scopes: deadlines that reach tasks which no timer of their own names.

A deadline of a scope cancels every task in it and below it, whether or not anybody
awaits them. anyio 3 and 4 keep ``_task_states``, task to state; a state has the
innermost scope, a scope its parent, its deadline and whether it is shielded.
"""

from __future__ import annotations

import math
import sys
import weakref
from typing import Any

from asyncconsole.capture.objects import NUMBERS, attribute, mro, space

BACKEND = "anyio._backends._asyncio"
DEEPEST = 1_000


def deadline(task: Any) -> float | None:
    """Loop time at which the first scope around a task cancels it, or None."""
    backend = sys.modules.get(BACKEND)
    if backend is None:
        return None
    states = getattr(getattr(backend, "_task_states", None), "data", None)
    if type(states) is not dict:
        return None
    if any("__hash__" in space(base) or "__eq__" in space(base) for base in mro(type(task))[:-1]):
        # A lookup would run code of the program's own class.
        state = next((found for key, found in list(states.items()) if key() is task), None)
    else:
        state = states.get(weakref.ref(task))
    scope = attribute(state, "cancel_scope") if state is not None else None
    first = math.inf
    for _ in range(DEEPEST):
        if scope is None:
            break
        found = attribute(scope, "_deadline")
        if type(found) in NUMBERS:
            first = min(first, found)
        if attribute(scope, "_shield") is True:
            break  # nothing outside of a shielded scope reaches in
        scope = attribute(scope, "_parent_scope")
    return None if math.isinf(first) else first
