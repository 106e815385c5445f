"""Names for primitives: the ones the program's own source gives them.

In order: ``name()``, a module's global, ``Class.attribute``, ``DICT['key']``, a
local variable, the expression in the source line, a clue. Nothing here runs the
program's code; the search is bounded and happens once per primitive.
"""

from __future__ import annotations

import linecache
import re
import sys
import types
import weakref
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from asyncconsole.capture.chain import Level
from asyncconsole.capture.code import is_own
from asyncconsole.capture.exits import referents
from asyncconsole.capture.objects import (
    Types,
    class_name,
    contents,
    instance_dict,
    module_of,
    mro,
    space,
)

MOST_VALUES = 50_000
"""Values looked at in one search."""

MOST_ENTRIES = 5_000
"""Entries looked at in one container."""

MOST_LEVELS = 20
"""Levels of one stack that are searched for an object with the primitive."""

SLICE = 500
"""Values after which the search gives others a turn."""

_given: dict[int, tuple[Any, str]] = {}
_MODULE_DICT: Any = vars(types.ModuleType)["__dict__"].__get__
_PLAIN_KEYS = Types(str, int, bytes, bool, float, type(None))
_ROWS = Types(list, tuple, deque)
_SETS = Types(set, frozenset)
_TABLES = Types(dict, list, tuple, deque)
_LONGEST_KEY = 60


def name(primitive: Any, text: str) -> Any:
    """Give a primitive the name that the console shows.

    Args:
        primitive: A lock, semaphore, queue, event, future... of the program.
        text: Its name; one line.

    Returns:
        ``primitive``, so that ``lock = name(asyncio.Lock(), "db")`` reads well.
    """
    key = id(primitive)

    def forget(_reference: Any) -> None:
        _given.pop(key, None)

    _given[key] = (weakref.ref(primitive, forget), " ".join(str(text).split())[:200])
    return primitive


def given(thing: Any) -> str | None:
    """The name the program gave with `name`, or None."""
    found = _given.get(id(thing))
    return found[1] if found is not None and found[0]() is thing else None


def base(file: str) -> str:
    """A path's last part."""
    return file.replace("\\", "/").rpartition("/")[2]


@dataclass(slots=True)
class Place:
    """A frame in which a primitive was seen, to find the name it has there.

    Attributes:
        levels: That frame and those that await it, outermost first.
        function: Its name.
        line: Its line.
        span: Source range of the expression, when known.
    """

    levels: list[Level]
    function: str
    line: int
    span: tuple[int, int, int, int] | None = None

    @property
    def level(self) -> Level:
        """The frame itself."""
        return self.levels[-1]


def search(
    wanted: dict[int, Any], places: dict[int, list[Place]]
) -> Generator[None, None, dict[int, str]]:
    """Find names for objects.

    Args:
        wanted: The objects, by ``id``.
        places: Frames that refer to them, by the same ``id``.

    Yields:
        None, between slices.

    Returns:
        Names by ``id``; objects that nothing names are missing.
    """
    found: dict[int, str] = {}
    for key, thing in wanted.items():
        text = given(thing)
        if text:
            found[key] = text
    left = {key for key in wanted if key not in found}
    yield from _modules(left, found)
    for key in list(left):
        for place in places.get(key, ()):
            text = _local(wanted[key], place)
            if text:
                found[key] = text
                break
    return found


def _modules(left: set[int], found: dict[int, str]) -> Generator[None, None, None]:
    """Globals of the program's own modules, and what they reach in three steps."""
    seen: set[int] = set()
    visited = 0
    todo: deque[tuple[Any, str, int, bool]] = deque()
    for module in list(sys.modules.values()):
        if not issubclass(type(module), types.ModuleType):
            continue
        names = _MODULE_DICT(module)
        file = names.get("__file__")
        if type(file) is not str:
            if names.get("__name__") != "__main__":
                continue
        elif not is_own(file):
            continue
        for key, value in list(names.items()):
            if type(key) is str and not key.startswith("__"):
                todo.append((value, key, 0, False))
    while todo and left and visited < MOST_VALUES:
        value, path, depth, inside = todo.popleft()
        visited += 1
        if visited % SLICE == 0:
            yield
        if id(value) in left:
            left.discard(id(value))
            found[id(value)] = path
            continue
        if depth < 4 and id(value) not in seen:  # noqa: PLR2004 - global, container, object, attribute
            kind = type(value)
            if id(kind) in _LEAVES.ids:
                continue
            seen.add(id(value))
            todo.extend(_below(value, path, depth + 1, inside))


_LEAVES = Types(str, int, float, bytes, bool, type(None), types.FunctionType, types.ModuleType)


def _below(value: Any, path: str, depth: int, inside: bool) -> list[tuple[Any, str, int, bool]]:
    """What one object leads to, with the name that it has from there."""
    kind = type(value)
    if issubclass(kind, dict):
        return [(item, f"{path}[{_key(key)}]", depth, True) for key, item in _entries(value)]
    if kind in _ROWS:
        return [
            (item, f"{path}[{index}]", depth, True)
            for index, item in enumerate(list(value)[:MOST_ENTRIES])
        ]
    if kind in _SETS:
        return [(item, f"item of {path}", depth, True) for item in list(value)[:MOST_ENTRIES]]
    if kind is type or issubclass(kind, type):
        if not own_class(value):
            return []
        title = class_name(value)
        return [(item, f"{title}.{key}", depth, False) for key, item in list(space(value).items())]
    if not own_class(kind):
        return []
    prefix = path if inside else class_name(kind)
    found = [(item, f"{prefix}.{key}", depth, inside) for key, item in attributes(value)]
    return found[:MOST_ENTRIES]


def _entries(value: Any) -> list[tuple[Any, Any]]:
    """The first entries of a dictionary, whatever its class has made of its methods."""
    for _ in range(3):
        try:
            return list(islice(dict.items(value), MOST_ENTRIES))
        except RuntimeError:  # it changed meanwhile
            continue
    return []


def attributes(value: Any) -> list[tuple[str, Any]]:
    """Attributes and slots of an instance, without running its code."""
    found = [(key, item) for key, item in list(instance_dict(value).items()) if type(key) is str]
    for cls in mro(type(value)):
        for key, descriptor in space(cls).items():
            if type(descriptor) is types.MemberDescriptorType:
                try:
                    found.append((key, descriptor.__get__(value)))
                except AttributeError:
                    continue
    return found


def own_class(cls: type) -> bool:
    """True for classes of the program itself."""
    module = module_of(cls)
    if module == "__main__":
        return True
    found = sys.modules.get(module)
    if found is None or not issubclass(type(found), types.ModuleType):
        return False
    file = _MODULE_DICT(found).get("__file__")
    return type(file) is str and is_own(file)


def _key(key: Any) -> str:
    """A dictionary key as source text; never calls a ``__repr__`` of the program."""
    if type(key) is int and key.bit_length() > _LONGEST_KEY:
        return "…"  # thousands of digits take long to write, or can't be
    if type(key) in _PLAIN_KEYS:
        text = repr(key)
        return text if len(text) <= _LONGEST_KEY else text[: _LONGEST_KEY - 1] + "…"
    if type(key) is tuple and len(key) < 10:  # noqa: PLR2004 - longer ones name nothing
        return f"({', '.join(_key(item) for item in key if type(item) is not tuple)})"
    return "…"


def _local(thing: Any, place: Place) -> str | None:
    """What the frames call it: an attribute of a local object, or a local variable."""
    for level in reversed(place.levels[-MOST_LEVELS:]):
        for referent in _locals(level):
            if referent is thing or not own_class(type(referent)):
                continue
            for value, path, _, _ in _below(referent, "", 0, inside=False):
                if value is thing:
                    return path
                if type(value) in _TABLES:
                    for item, below, _, _ in _below(value, path, 0, inside=True):
                        if item is thing:
                            return below
    text = _variable(thing, place) or _expression(place)
    if text is None:
        return None
    return f"{text} in {place.function}()" if text.isidentifier() else text


def _locals(level: Level) -> list[Any]:
    """What a frame refers to, closure variables included."""
    found = []
    for item in referents(level.owner):
        if type(item) is types.CellType:
            found += contents((item,))
        else:
            found.append(item)
            if type(item) is types.FunctionType:
                found += contents(item.__closure__ or ())
    return found


def _variable(thing: Any, place: Place) -> str | None:
    """The local variable's name. Only where reading locals copies nothing (3.13+)."""
    if sys.version_info < (3, 13):
        return None
    owner = place.level.owner
    frame = next(
        (
            getattr(owner, f"{kind}_frame")
            for kind in ("cr", "gi", "ag")
            if hasattr(owner, f"{kind}_frame")
        ),
        None,
    )
    if frame is None:
        return None
    for key, value in frame.f_locals.items():
        if value is thing:
            return str(key)
        if type(value) in _TABLES:
            for item, path, _, _ in _below(value, str(key), 0, inside=True):
                if item is thing:
                    return path
    return None


_WITH = re.compile(r"async with (?P<what>[\w.]+(?:\[[^\]]*\])?)(?:\s+as\s+\w+)?\s*:")
_CALL = re.compile(
    r"await (?:asyncio\.)?(?:wait_for\()?(?P<what>[\w.\[\]'\"]+)\.(?:acquire|get|put|join|wait)\("
)
_AWAIT = re.compile(
    r"await (?:asyncio\.)?(?:wait_for\(|shield\()?(?P<what>[\w.]+(?:\[[^\]]*\])?)\s*(?:[,)]|$)"
)


def _expression(place: Place) -> str | None:
    """The expression in the source line that names it."""
    file = place.level.code.co_filename
    if place.span is not None:
        line, end, start, stop = place.span
        if line == end:
            text = linecache.getline(file, line).encode()[start:stop].decode(errors="replace")
            if text:
                return " ".join(text.split())
    text = linecache.getline(file, place.line)
    for pattern in (_WITH, _CALL, _AWAIT):
        match = pattern.search(text)
        if match:
            return match["what"]
    return None
