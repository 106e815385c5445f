"""What one primitive must be able to tell: the port that a reader implements.

To teach the console a new primitive, add one file to this folder that binds
``READER``; nothing else changes.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from types import CodeType, FunctionType, MethodType
from typing import Any

from asyncconsole.capture.objects import attribute, method_code, mro, space, type_name

Detail = tuple[str, "str | int | float | bool | None"]


@dataclass(frozen=True, slots=True)
class Facts:
    """A primitive as it is now.

    Attributes:
        state: In words.
        locked: True when a newcomer would have to wait.
        queue: Waiting futures in queue order, each with a role ("", ``get``,
            ``put``, ``join``).
        permits: How many can hold it at once; None when not known.
        taken: How many permits are out; None when not known.
        sound: True when acquire and release are the standard library's own.
        details: Numbers worth showing.
    """

    state: str
    locked: bool = False
    queue: tuple[tuple[Any, str], ...] = ()
    permits: int | None = None
    taken: int | None = None
    sound: bool = False
    details: tuple[Detail, ...] = ()


class Reader:
    """Reads one type of primitive. Subclass, fill in, bind an instance to ``READER``.

    Attributes:
        type: The class (subclasses are read too).
        waits: Suspended functions that mean a wait on it, by their kind.
        holdable: True when tasks hold it (a lock, not an event).
        title: What people call it, when that is not the class's name.
        lends: True for a pool: what tasks hold of it is one of its things.
    """

    type: type
    waits: dict[CodeType, str]
    holdable = False
    title = ""
    lends = False

    def read(self, thing: Any) -> Facts:
        """Its state; may raise anything, which becomes a gap in the snapshot."""
        raise NotImplementedError

    def guards(self, thing: Any) -> Any:
        """The primitive that is really held when ``thing`` is (a Condition's lock)."""
        return thing

    def trusted(self, thing: Any) -> bool:
        """Whether an exit of ``thing`` in force proves that it is held."""
        return True

    def waits_for(self, thing: Any, future: Any, kind: str) -> bool:
        """Whether a task suspended in one of ``waits`` on ``future`` waits for ``thing``."""
        return True

    def owners(self, thing: Any) -> tuple[Any, ...] | None:
        """All tasks that have it, where it keeps them itself; None where it does not."""
        return None

    def parts(self, thing: Any) -> tuple[Any, ...]:
        """Primitives that it is made of and that are not shown beside it."""
        return ()

    def called(self, thing: Any) -> str:
        """The type's name as people call it."""
        return self.title or type_name(thing)


def code(cls: type, *names: str) -> list[CodeType]:
    """Code objects of those methods that this Python's class has."""
    found = [method_code(cls, name) for name in names]
    return [item for item in found if item is not None]


def futures_of(thing: Any, name: str) -> tuple[Any, ...]:
    """A copy of a queue of futures; () when there is none."""
    found = attribute(thing, name)
    for _ in range(5):
        try:
            return tuple(found) if found is not None else ()
        except RuntimeError:  # changed while it was copied
            continue
    return ()


def stock(thing: Any, base: type, methods: Iterable[str]) -> bool:
    """True when none of ``methods`` is overridden by a subclass or on the instance."""
    for name in methods:
        for cls in mro(type(thing)):
            if name in space(cls):
                function = space(cls)[name]
                if type(function) is not FunctionType:
                    return False
                if function.__code__.co_filename != home(base) and function not in _accepted:
                    return False
                # Runs nothing of the program's: the class has a plain function there.
                bound = object.__getattribute__(thing, name)
                if type(bound) is not MethodType or bound.__func__ is not function:
                    return False
                break
    return True


def home(cls: type) -> str:
    """The file that a class of the standard library comes from, as its code objects have it."""
    function: Any = cls.__init__  # type: ignore[misc]  # of the class itself
    while hasattr(function, "__wrapped__"):  # one of our patches
        function = function.__wrapped__
    return str(function.__code__.co_filename)


_accepted: weakref.WeakSet[Any] = weakref.WeakSet()


def accept(function: Any) -> None:
    """Let `stock` take a patched method for the standard library's own: it does the same."""
    _accepted.add(function)


ACQUIRE = ("acquire", "release", "__aenter__", "__aexit__")
