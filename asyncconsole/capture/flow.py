"""Primitives that a suspended frame took with ``await x.acquire()`` and has not released.

Two steps: what the bytecode says about expressions (``_claims.py``), once per code
object; and which object an expression means in this frame. Neither runs any code of the
program. What results is likely and no proof: a function that was called meanwhile may
have released it, an attribute may have been given another lock.
"""

from __future__ import annotations

import logging
import sys
import weakref
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import CellType, CodeType
from typing import Any, Final

from asyncconsole.capture._claims import Expression, Flow, Spot
from asyncconsole.capture._place import of_class
from asyncconsole.capture._stack import StrangeCodeError
from asyncconsole.capture.code import code_facts
from asyncconsole.capture.exits import Names, names_at, suspended_at
from asyncconsole.capture.objects import LISTS, Types, attribute
from asyncconsole.capture.readers import reader_for

log = logging.getLogger("asyncconsole")

CACHED: Final = 4096
"""Code objects whose analysis is remembered."""

MOST_ENTRIES: Final = 5_000
"""Entries of a dictionary that are compared with a key."""

_CELLS_BEHIND: Final = sys.version_info < (3, 11)
"""Whether closure variables have numbers of their own, behind those of the locals."""
_KNOWN: Final = sys.implementation.name == "cpython" and (3, 10) <= sys.version_info < (3, 16)
_DICTS: Final = Types(dict, defaultdict, OrderedDict)
_KEYS: Final = Types(int, str)
_USED: Final = frozenset({"acquire", "release", "__aenter__", "__aexit__"})
_TAKES: Final = frozenset({"acquire", "__aenter__"})
_GIVES: Final = frozenset({"release", "__aexit__"})
_SELF: Final = ("fast", 0)

_flows: dict[int, tuple[weakref.ref[CodeType], Flow | None]] = {}
"""By the code object's id: equal code objects must not be taken for each other."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A primitive that was probably taken, and a line that did it."""

    thing: Any
    line: int


def taken(owner: Any, code: CodeType) -> list[Taken]:
    """What a suspended frame took by explicit ``acquire`` and has not given back.

    Args:
        owner: A coroutine, generator or async generator.
        code: Its code.
    """
    if "acquire" not in code.co_names:
        return []
    try:
        return _taken(owner, code)
    except Exception:
        log.exception("What %s took by acquire() could not be read", code.co_name)
        return []


def wrapped(enter: CodeType | None, leave: CodeType | None) -> list[str]:
    """Attributes that ``__aenter__`` acquires and ``__aexit__`` gives back.

    Args:
        enter: Code of a class's ``__aenter__``.
        leave: Code of its ``__aexit__``.
    """
    if enter is None or leave is None or not _USED.intersection(enter.co_names):
        return []
    return sorted(_attributes(enter, _TAKES) & _attributes(leave, _GIVES))


def given_only(code: CodeType) -> list[Expression]:
    """Expressions on which ``release`` is looked up in that code, and ``acquire`` is not."""
    flow = _flow(code)
    uses = flow.uses if flow is not None else frozenset()
    return [path for path, method in uses if method == "release" and (path, "acquire") not in uses]


def _attributes(code: CodeType, methods: frozenset[str]) -> set[str]:
    """Attributes of ``self`` on which one of those methods is looked up."""
    flow = _flow(code)
    found = set()
    for path, method in flow.uses if flow is not None else ():
        if method in methods and len(path) == 2 and path[0] == _SELF and path[1][0] == "attr":  # noqa: PLR2004  self.name
            found.add(path[1][1])
    return found


def _taken(owner: Any, code: CodeType) -> list[Taken]:
    flow = None if code_facts(code).asyncio else _flow(code)
    if flow is None or not flow.spots:
        return []
    at = suspended_at(owner)
    spot = flow.spots.get(at) if at is not None else None
    names = names_at(owner, at) if spot is not None and at is not None else None
    if spot is None or names is None:
        return []
    scope = _Scope(code, spot, names)
    found = []
    for claim in spot.claims:
        things = _primitives(scope.meanings(claim.what))
        if len(things) != 1:
            continue
        others = [scope.meanings(path) for path in claim.unless]
        if all(other and all(item is not things[0] for item in other) for other in others):
            found.append(Taken(things[0], claim.line))
    return found


def _primitives(things: list[Any]) -> list[Any]:
    """Those that can be held, each once."""
    found: dict[int, Any] = {}
    for thing in things:
        reader = reader_for(thing)
        if reader is not None and reader.holdable:
            found[id(thing)] = thing
    return list(found.values())


@dataclass(frozen=True, slots=True)
class _Scope:
    """A suspended frame, to look expressions up in."""

    code: CodeType
    spot: Spot
    names: Names

    def meanings(self, path: Expression) -> list[Any]:
        """Objects that an expression can mean; [] when none can be found."""
        (kind, value), *steps = path
        things = self._root(kind, value)
        for step, detail in steps:
            if step == "attr":
                found = [_attribute(thing, detail) for thing in things]
            else:
                keys = self.meanings(detail)
                found = [_entry(thing, keys[0]) for thing in things] if len(keys) == 1 else []
            things = [thing for thing in found if thing is not None]
        return things

    def _root(self, kind: str, value: Any) -> list[Any]:
        """Objects that a name can mean."""
        if kind == "const":
            return [value]
        if kind == "global":
            return [self.names.globals[value]] if value in self.names.globals else []
        here = self._window(value, behind=kind == "deref" and _CELLS_BEHIND)
        if kind == "fast":
            return [thing for thing in here if type(thing) is not CellType]
        found = []
        for item in here:
            if type(item) is CellType:
                try:
                    found.append(item.cell_contents)
                except ValueError:
                    continue
        return found

    def _window(self, index: int, *, behind: bool) -> list[Any]:
        """Objects that can be that local: one, if it is known which others have a value."""
        sure, maybe = self.spot.sure, self.spot.maybe
        first = self.names.start
        if behind:
            first += index
        else:
            if not maybe >> index & 1:
                return []
            below = (1 << index) - 1
            sure &= below
            maybe &= below
        low, high = first + sure.bit_count(), first + maybe.bit_count() + self.names.slack
        return self.names.objects[low : high + 1]


def _attribute(thing: Any, name: str) -> Any:
    if issubclass(type(thing), type):
        found = of_class(thing, name)  # of a class: no metaclass is asked
        return found if reader_for(found) is not None or type(found) in _DICTS else None
    return attribute(thing, name)


def _entry(thing: Any, key: Any) -> Any:
    """``thing[key]`` of plain containers; keys that are not plain are never compared."""
    kind = type(thing)
    if type(key) is int and kind in LISTS:
        return thing[key] if -len(thing) <= key < len(thing) else None
    if kind not in _DICTS or type(key) not in _KEYS or len(thing) > MOST_ENTRIES:
        return None
    for other, value in list(dict.items(thing)):
        if type(other) is type(key) and other == key:
            return value
    return None


def _flow(code: CodeType) -> Flow | None:
    """What is known of a code object; None when it can't be understood."""
    known = _flows.get(id(code))
    if known is not None and known[0]() is code:
        return known[1]
    try:
        flow = _reader()(code) if _KNOWN else None
    except StrangeCodeError:
        flow = None
    except Exception:
        log.exception("The bytecode of %s could not be followed", code.co_name)
        flow = None
    if len(_flows) >= CACHED:
        _flows.pop(next(iter(_flows)), None)
    _flows[id(code)] = (weakref.ref(code), flow)
    return flow


@cache
def _reader() -> Callable[[CodeType], Flow]:
    """The analysis for this interpreter."""
    if sys.version_info >= (3, 14):
        from asyncconsole.capture._cpython_314 import flow  # noqa: PLC0415  only one fits
    elif sys.version_info >= (3, 11):
        from asyncconsole.capture._cpython_311 import flow  # noqa: PLC0415  only one fits
    else:
        from asyncconsole.capture._cpython_310 import flow  # noqa: PLC0415  only one fits
    return flow
