"""Lays what the bytecode says about a stack against the objects that are there.

The collector lists a frame's objects without the empty places: some objects in front,
the locals that have a value, the stack from its bottom, and perhaps the exception being
handled. Every way to lay the slots on that list which agrees with everything known is
tried; only what all of them agree on is believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final

from asyncconsole.capture._stack import NULLABLE, OBJECT, SELF, Point, Slot, StrangeCodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WAYS: Final = 64
"""Ways to lay a stack that are tried before giving up."""

_MRO: Any = type.__dict__["__mro__"]
_NAMESPACE: Any = type.__dict__["__dict__"]
_METHOD_DESCRIPTOR: Final = type(list.append)
_MISSING: Final = object()

Picks = tuple[int, ...]


def of_class(cls: type, name: str) -> Any:
    """A class's attribute as its ``__dict__`` has it; no descriptor or metaclass is asked."""
    for base in _MRO.__get__(cls):
        found = _NAMESPACE.__get__(base).get(name, _MISSING)
        if found is not _MISSING:
            return found
    return _MISSING


def behind_head(objects: list[Any], code: CodeType) -> tuple[int, int] | None:
    """Where the locals begin (3.11 and later): behind the frame's function and code.

    Returns:
        The index of the first local, and how many objects there may be too many (0);
        None when the list is not that of a frame of this code.
    """
    for index in range(1, min(len(objects), 8)):
        if objects[index] is code and type(objects[index - 1]) is FunctionType:
            return index + 1, 0
    return None


def behind_frame_head(objects: list[Any], code: CodeType, trace: Any) -> tuple[int, int] | None:
    """Same in what a 3.10 frame object refers to.

    In front are code, builtins, globals, perhaps the dict that somebody's reading of
    ``f_locals`` left, and the trace function when there is one.
    """
    count = 3
    if len(objects) < count or objects[0] is not code or type(objects[2]) is not dict:
        return None
    if len(objects) == count:
        return count, 0
    copied = type(objects[count]) is dict
    # The copying back to the locals, after tracing, also fills the places of those
    # arguments that are a closure's cells.
    cells = sum(name in code.co_cellvars for name in code.co_varnames) if copied else 0
    if trace is None:
        return count, copied + cells
    if objects[count] is trace:
        return count + 1, 0
    if copied and len(objects) > count + 1 and objects[count + 1] is trace:
        return count + 2, cells
    return None


def manager_of(exit_: Any, owner: Any, name: str) -> Any:
    """The manager that an exit on the stack belongs to; None when that is not clear.

    Args:
        exit_: The bound method, or the function when ``owner`` is given.
        owner: What lies above the exit as its ``self`` (3.14+), or None.
        name: ``__exit__`` or ``__aexit__``.
    """
    function: Any = exit_
    if owner is None:
        kind = type(exit_)
        if kind is BuiltinFunctionType:
            owner = exit_.__self__
            found = of_class(type(owner), name)
            matches = type(found) is _METHOD_DESCRIPTOR and exit_.__name__ == name
            return owner if matches else None
        if kind is not MethodType:
            return None
        function, owner = exit_.__func__, exit_.__self__
    found = of_class(type(owner), name)
    if found is function:
        return owner
    # The class may have been given another exit since, by a library that patches methods; or
    # ours has been taken off, as it is in a forked child.
    same_name = type(function) is FunctionType and name in {
        function.__code__.co_name,
        function.__name__,
    }
    return owner if same_name and found is not _MISSING else None


@dataclass(frozen=True, slots=True)
class View:
    """What was read from one suspended frame.

    Attributes:
        objects: What it refers to.
        start: Index of the first local.
        slack: Objects in front of the locals that may be there or not.
        awaited: What it awaits, or None.
        trailed: Whether the exception being handled may follow the stack.
    """

    objects: list[Any]
    start: int
    slack: int
    awaited: Any
    trailed: bool


def place(point: Point, view: View) -> Picks | None:
    """Where the slots that matter lie among the objects.

    Returns:
        An index for the exit and for the owner of each of the point's exits, and for
        each of its iterators; -1 for an owner that is absent. None when the objects
        fit in no way, or in ways that differ in these.
    """
    wanted = [slot for item in point.exits for slot in (item.pick, item.owner)]
    wanted += point.iterators
    found: set[Picks] = set()
    for picks in _ways(point, view):
        found.add(tuple(picks[slot] if slot >= 0 else -1 for slot in wanted))
        if len(found) > 1:
            return None
    return found.pop() if found else None


def _ways(point: Point, view: View) -> Iterator[Picks]:
    """Every way to lay the stack: the index that each slot took, or -1.

    Raises:
        StrangeCodeError: when there are too many to try.
    """
    slots = point.stack
    least, most = view.start + point.least, view.start + point.most + view.slack
    # Left to do: a slot, the end of the objects that are left for it, what is laid above.
    work: list[tuple[int, int, Picks]] = [(len(slots) - 1, end, ()) for end in _ends(point, view)]
    tried = 0
    while work:
        tried += 1
        if tried > WAYS:
            raise StrangeCodeError
        slot, end, picks = work.pop()
        while slot >= 0:
            if slots[slot] is OBJECT and end > view.start:
                taken = _ONE  # what most slots are
            else:
                taken = _fit(slots, slot, view, end - 1, picks)
            if taken == _NEITHER:
                break
            if taken == _EITHER:
                work.append((slot - 1, end, (-1, *picks)))
            if taken == _NONE:
                picks = (-1, *picks)
            else:
                end -= 1
                picks = (end, *picks)
            slot -= 1
        if slot < 0 and least <= end <= most:
            yield picks


def _ends(point: Point, view: View) -> list[int]:
    """Where the stack can end: the exception being handled may follow it."""
    size = len(view.objects)
    last = view.objects[-1]
    ends = [size]
    if view.trailed and point.handling:
        ends = [size - 1] if issubclass(type(last), BaseException) else []
    elif view.trailed and last is None:
        ends = [size, size - 1]
    if point.awaiting:
        ends = [end for end in ends if end > view.start and view.objects[end - 1] is view.awaited]
    return ends


_ONE, _NONE, _EITHER, _NEITHER = range(4)
"""How many objects a slot can take: one, none, either; or it does not fit at all."""


def _fit(slots: tuple[Slot, ...], slot: int, view: View, index: int, picks: Picks) -> int:
    """What a slot can take.

    Args:
        slots: The stack.
        slot: Index of the slot.
        view: The objects.
        index: Of the topmost object that no slot above took.
        picks: Indices that the slots above took, the next one's first.
    """
    kind = slots[slot]
    if kind.what == "null":
        return _NONE
    if index < view.start:
        return _NONE if kind.what in NULLABLE else _NEITHER
    test = _TESTS.get(kind.what)
    if test is not None:
        return _ONE if test(view.objects[index]) else _NEITHER
    if kind.what == "exit":
        alone = slot + 1 < len(slots) and slots[slot + 1] == SELF and picks[0] < 0
        return _exit(view.objects, index, kind.name, alone)
    name = slots[slot - 1].name if kind == SELF else kind.name
    return _NULLABLE[kind.what](view.objects, index, name)


_TESTS: Final[dict[str, Callable[[Any], bool]]] = {
    "object": lambda _: True,
    "iterator": lambda _: True,
    "callable": callable,
    "number": lambda thing: type(thing) is int,
    "previous": lambda thing: thing is None or issubclass(type(thing), BaseException),
}
"""What certain slots hold for sure."""


def _exit(objects: list[Any], index: int, name: str, alone: bool) -> int:
    """Whether an exit can lie there; ``alone``: without its manager above it (3.14+)."""
    # A lone exit was made by a descriptor; a plain function with its manager was not.
    fits = callable(objects[index]) and not (alone and _belongs(objects, index, name))
    return _ONE if fits else _NEITHER


def _belongs(objects: list[Any], index: int, name: str) -> bool:
    """Whether an object is the plain function that the class of the next one has as exit."""
    if index + 1 >= len(objects):
        return False
    return of_class(type(objects[index + 1]), name) is objects[index]


def _as_method(function: Any, owner: Any, name: str) -> int:
    """Whether these two are what calling the method ``owner.name`` puts on the stack."""
    known = False
    for base in _MRO.__get__(type(owner)):
        found = _NAMESPACE.__get__(base).get(name, _MISSING)
        if found is function:
            return _ONE
        known = known or found is not _MISSING
    # With another attribute of that name the class may have been changed meanwhile.
    return _EITHER if known else _NONE


_NULLABLE: Final[dict[str, Callable[[list[Any], int, str], int]]] = {
    "maybe": lambda _objects, _index, _name: _EITHER,
    "self": lambda objects, index, name: _ONE if _belongs(objects, index - 1, name) else _EITHER,
    "method": lambda objects, index, name: _as_method(objects[index], objects[index + 1], name),
    "receiver": lambda objects, index, name: _as_method(objects[index - 1], objects[index], name),
}
"""What slots that may be empty can take."""
