"""What leads to what: from modules and tasks to the primitives that nobody waits for.

Only `gc.get_referents` is asked, so no code of the program runs. Paths are lists of
addresses. An address is never followed: each step is an object that is looked up among
those that the step before refers to now.
"""

from __future__ import annotations

import builtins
import gc
import sys
import types
from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import Any

from asyncconsole.capture.objects import module_of

SLICE = 500
WIDEST = 200_000
"""Objects that one object may refer to and still be looked into."""

_MODULE_DICT: Any = vars(types.ModuleType)["__dict__"].__get__
_OWN = "asyncconsole"
_LEAVES = {
    *(str, int, float, complex, bytes, bytearray, bool, type(None)),
    *(types.CodeType, types.BuiltinFunctionType, types.WrapperDescriptorType),
    *(types.MethodDescriptorType, types.MemberDescriptorType, types.GetSetDescriptorType),
}


def ours(name: str) -> bool:
    """True for modules of this package, but for the demo services, which are programs."""
    return (name == _OWN or name.startswith(f"{_OWN}.")) and not name.startswith(
        f"{_OWN}.demo_apps"
    )


def modules(*, own: Callable[[str], bool]) -> list[tuple[str, Any]]:
    """Names and namespaces of loaded modules, the program's own first."""
    first: list[tuple[str, Any]] = []
    rest: list[tuple[str, Any]] = []
    for name, module in list(sys.modules.items()):
        if type(name) is not str or not issubclass(type(module), types.ModuleType) or ours(name):
            continue
        names = _MODULE_DICT(module)
        file = names.get("__file__") or ""
        mine = name == "__main__" or (type(file) is str and bool(file) and own(file))
        (first if mine else rest).append((name, names))
    return first + rest


def walk(
    roots: Iterable[Any],
    wanted: Callable[[Any], bool],
    *,
    most: int,
    enough: int = sys.maxsize,
    parents: dict[int, int] | None = None,
) -> Generator[None, None, list[Any]]:
    """Go breadth first from ``roots`` through everything they lead to.

    Args:
        roots: Where to begin.
        wanted: What to collect.
        most: Objects to visit.
        enough: Objects to find.
        parents: Filled with the address of the object before each, roots aside.

    Yields:
        None, between slices.

    Returns:
        What was wanted and found, nearest first.
    """
    found: list[Any] = []
    seen = {id(_MODULE_DICT(m)) for n, m in list(sys.modules.items()) if _is_ours(n, m)}
    seen.add(id(builtins.__dict__))
    seen.add(id(sys.modules))
    todo = deque(roots)
    seen.update(map(id, todo))
    visited = 0
    skipped: dict[type, bool] = {}
    while todo and visited < most and len(found) < enough:
        thing = todo.popleft()
        visited += 1
        if visited % SLICE == 0:
            yield
        kind = type(thing)
        if wanted(thing):
            found.append(thing)
        else:
            if kind not in skipped:
                skipped[kind] = ours(module_of(kind))
            if skipped[kind]:
                continue
        held = gc.get_referents(thing)
        if len(held) > WIDEST:
            continue
        for item in held:
            if type(item) not in _LEAVES and id(item) not in seen:
                seen.add(id(item))
                todo.append(item)
                if parents is not None:
                    parents[id(item)] = id(thing)
    return found


def _is_ours(name: Any, module: Any) -> bool:
    return type(name) is str and issubclass(type(module), types.ModuleType) and ours(name)


def follow(
    starts: dict[int, Any], steps: dict[int, set[int]], wanted: dict[int, int]
) -> Generator[None, None, dict[int, Any]]:
    """Find objects by the addresses that lead to them.

    Args:
        starts: Objects to begin with, by address.
        steps: For each address those that come next.
        wanted: Addresses to find, each with the address of the class it must have.

    Yields:
        None, between slices.

    Returns:
        The objects that were found, alive, by address.
    """
    found: dict[int, Any] = {}
    todo = [thing for key, thing in starts.items() if key in steps]
    done: set[int] = set()
    while todo:
        thing = todo.pop()
        if id(thing) in done:
            continue
        done.add(id(thing))
        yield
        missing = set(steps[id(thing)])
        for item in _near(thing, missing):
            key = id(item)
            if wanted.get(key) == id(type(item)):
                found[key] = item
            if key in steps:
                todo.append(item)
    return found


def _near(thing: Any, missing: set[int]) -> list[Any]:
    """Those of the missing that an object refers to, or a dictionary of it.

    The latter because an object's attributes may have moved into a dictionary meanwhile.
    """
    held = gc.get_referents(thing)
    near = [item for item in held if id(item) in missing]
    missing.difference_update(map(id, near))
    if missing and type(thing) is not dict:
        for space in held:
            if type(space) is dict and len(space) < WIDEST:
                near += [item for item in gc.get_referents(space) if id(item) in missing]
    return near
