"""Looking into other people's objects without running their code.

No attribute access here can reach a ``__getattr__``, a property or a descriptor
written in Python: only slots and dictionaries that C code provides are read.
"""

from __future__ import annotations

import types
from typing import Any

_MISSING: Any = object()
_MRO: Any = type.__dict__["__mro__"].__get__
_SPACE: Any = type.__dict__["__dict__"].__get__
_NAME: Any = type.__dict__["__name__"].__get__
_MODULE: Any = type.__dict__["__module__"].__get__


class Types:
    """A few types. ``kind in types`` compares by identity: a metaclass is not asked.

    (A set would ask it for its hash, and fail where that is None.) Where it matters,
    ``id(kind) in types.ids`` is faster.
    """

    __slots__ = ("_types", "ids")

    def __init__(self, *types: type) -> None:
        self._types = types  # keeps their ids theirs
        self.ids = frozenset(map(id, types))

    def __contains__(self, kind: type) -> bool:
        return id(kind) in self.ids


LISTS = Types(list, tuple)
NUMBERS = Types(int, float)


def mro(cls: type) -> tuple[type, ...]:
    """The bases of a class, itself first; a metaclass has no say in it."""
    return _MRO(cls)  # type: ignore[no-any-return]  # what the slot is


def space(cls: type) -> Any:
    """The namespace of a class, read only."""
    return _SPACE(cls)


def class_name(cls: type) -> str:
    """Name of a class."""
    return _NAME(cls)  # type: ignore[no-any-return]  # what the slot is


def module_of(cls: type) -> str:
    """Module of a class; "" when it has none."""
    try:
        found = _MODULE(cls)
    except AttributeError:
        return ""
    return found if type(found) is str else ""


def instance_dict(thing: Any) -> dict[str, Any]:
    """The instance's own ``__dict__``, or an empty one when it has none.

    Not for objects that the program uses often, such as loops and locks: until 3.12 an
    object whose dictionary has once been asked for keeps its attributes there, and is
    slower for the rest of its life (a loop: 10 % per task). `attribute` has no such price.
    """
    for cls in mro(type(thing)):
        descriptor = space(cls).get("__dict__")
        if descriptor is not None:
            if type(descriptor) is types.GetSetDescriptorType:
                found = descriptor.__get__(thing)
                return found if type(found) is dict else {}
            return {}
    return {}


def attribute(thing: Any, name: str, default: Any = None) -> Any:
    """The value of a plain attribute or slot; ``default`` for anything cleverer."""
    for cls in mro(type(thing)):
        descriptor = space(cls).get(name, _MISSING)
        if descriptor is not _MISSING:
            kind = type(descriptor)
            if kind is types.MemberDescriptorType or kind is types.GetSetDescriptorType:
                try:
                    return descriptor.__get__(thing)
                except AttributeError:
                    return default
            if any("__get__" in space(base) for base in mro(kind)):
                return instance_dict(thing).get(name, descriptor)
            break  # a plain value, which the instance's own may hide
    # No class has a descriptor of that name, so nothing of the program's can run here.
    # Also for C types that have a dictionary but no ``__dict__``, like subclasses of the
    # C Future.
    try:
        return object.__getattribute__(thing, name)
    except AttributeError:
        return default


def method_code(cls: type, name: str) -> types.CodeType | None:
    """The code of a method as defined by the class or its bases, if in Python."""
    for base in mro(cls):
        function = space(base).get(name)
        if function is not None:
            return function.__code__ if type(function) is types.FunctionType else None
    return None


def type_name(thing: Any) -> str:
    """Name of an object's class."""
    return class_name(type(thing))


def cell(function: Any, name: str) -> Any:
    """The value that a closure's free variable ``name`` has, or None."""
    if type(function) is not types.FunctionType or function.__closure__ is None:
        return None
    names = function.__code__.co_freevars
    if name not in names:
        return None
    try:
        return function.__closure__[names.index(name)].cell_contents
    except ValueError:
        return None


def contents(cells: tuple[types.CellType, ...]) -> list[Any]:
    """Values of closure variables, without those that are not bound yet."""
    found = []
    for item in cells:
        try:
            found.append(item.cell_contents)
        except ValueError:
            continue
    return found
