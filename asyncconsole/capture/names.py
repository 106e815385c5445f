"""Names for primitives: the ones the program's own source gives them.

In order: ``name()``, a module's global, ``Class.attribute``, ``DICT['key']``, a
local variable, the expression in the source line, a clue. Nothing here runs the
program's code; the search is bounded and happens once per primitive.
"""

from __future__ import annotations

import sys
import types
import weakref
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from asyncconsole.capture import libraries
from asyncconsole.capture.chain import Level
from asyncconsole.capture.code import is_own
from asyncconsole.capture.exits import referents
from asyncconsole.capture.expressions import awaited, taken
from asyncconsole.capture.futures import is_future
from asyncconsole.capture.objects import (
    Types,
    class_name,
    contents,
    instance_dict,
    module_of,
    mro,
    space,
)
from asyncconsole.capture.readers import reader_for

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

    try:
        reference = weakref.ref(primitive, forget)
    except TypeError:
        libraries.install()  # nothing may have been captured yet
        anchor = libraries.anchor(primitive)
        if anchor is None:
            raise
        reference = weakref.ref(anchor, forget)
    _given[key] = (reference, " ".join(str(text).split())[:200])
    return primitive


def given(thing: Any) -> str | None:
    """The name the program gave with `name`, or None."""
    found = _given.get(id(thing))
    if found is None:
        return None
    known = found[0]()
    same = known is thing or (known is not None and known is libraries.anchor(thing))
    return found[1] if same else None


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
        at: ``f_lasti`` of the await, where the frame waits for it; -1 where it holds it.
    """

    levels: list[Level]
    function: str
    line: int
    span: tuple[int, int, int, int] | None = None
    at: int = -1

    @property
    def level(self) -> Level:
        """The frame itself."""
        return self.levels[-1]


Index = dict[int, tuple[Any, str]]
"""By ``id``: a weak reference to a primitive, and its name."""


def index() -> Generator[None, None, Index]:
    """The primitives that the program's modules reach, for searches in many pieces.

    Yields:
        None, between slices.
    """
    found: Index = {}
    yield from _modules(None, found)
    return found


def search(
    wanted: dict[int, Any],
    places: dict[int, list[Place]],
    known: Index | None = None,
    most: int = MOST_VALUES,
) -> Generator[None, None, dict[int, str]]:
    """Find names for objects.

    Args:
        wanted: The objects, by ``id``.
        places: Frames that refer to them, by the same ``id``.
        known: What `index` gave, so that the modules are not searched again.
        most: Values looked at.

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
    if known is None:
        known = {}
        yield from _modules(set(left), known, most)
    for count, key in enumerate(list(left)):
        if count % SLICE == SLICE - 1:
            yield
        named = known.get(key)
        if named is not None and named[0]() is wanted[key]:
            found[key] = named[1]
            continue
        for place in places.get(key, ()):
            text = _local(wanted[key], place)
            if text:
                found[key] = text
                break
    return found


def _globals() -> list[tuple[Any, str, int, bool]]:
    """What the program's own modules bind, and its name."""
    found: list[tuple[Any, str, int, bool]] = []
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
                found.append((value, key, 0, False))
    return found


def _modules(
    left: set[int] | None, found: Index, most: int = MOST_VALUES
) -> Generator[None, None, None]:
    """Globals of the program's own modules, and what they reach in three steps.

    Args:
        left: ``id`` of what is searched; None for every primitive.
        found: Gets them.
        most: Values looked at.
    """
    seen: set[int] = set()
    visited = 0
    todo = deque(_globals())
    while todo and (left is None or left) and visited < most:
        value, path, depth, inside = todo.popleft()
        visited += 1
        if visited % SLICE == 0:
            yield
        if left is None:
            if reader_for(value) is not None or is_future(value):
                _note(value, path, found)
                continue
        elif id(value) in left:
            left.discard(id(value))
            _note(value, path, found)
            continue
        if depth < 4 and id(value) not in seen:  # noqa: PLR2004 - global, container, object, attribute
            kind = type(value)
            if id(kind) in _LEAVES.ids:
                continue
            seen.add(id(value))
            todo.extend(_below(value, path, depth + 1, inside))


def _note(value: Any, path: str, found: Index) -> None:
    try:
        reference: Any = weakref.ref(value)
    except TypeError:
        reference = partial(_same, value)
    found.setdefault(id(value), (reference, path))


def _same(value: Any) -> Any:
    return value


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
        inner = libraries.leads(value)
        return [(lead.thing, f"{path}{lead.path}", depth, inside) for lead in inner]
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
    text = _variable(thing, place) or _expression(thing, place)
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
        if type(value) in _TABLES or libraries.leads(value):
            for item, path, _, _ in _below(value, str(key), 0, inside=True):
                if item is thing:
                    return path
    return None


def _expression(thing: Any, place: Place) -> str | None:
    """The expression in the source line that names it."""
    reader = reader_for(thing)
    lends = reader is not None and reader.lends
    code = place.level.code
    if place.at < 0:
        return taken(code.co_filename, place.line, place.span, lends=lends)
    return awaited(code, place.line, place.at, lends=lends)
