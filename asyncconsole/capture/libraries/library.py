"""What one library's file must be able to tell: the port, and words to tell it in.

To teach the console a library, add one file to this folder, named like the library's
top-level package, that binds ``MODULE`` and ``install``; nothing else changes.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, NamedTuple

from asyncconsole.capture.chain import Level
from asyncconsole.capture.exits import referents
from asyncconsole.capture.objects import attribute, contents, module_of, mro, space, type_name
from asyncconsole.capture.readers.reader import Detail, Facts, Reader

MOST_DEEP = 5
"""Decorators around a method that are looked through."""


class Loan(NamedTuple):
    """Something of a primitive that is out.

    Attributes:
        thing: The pool, or the lock.
        item: The connection; None where there is no such thing.
    """

    thing: Any
    item: Any


Lend = Callable[[Any], Iterable[Loan]]
"""From an object of a library, or a suspended frame of it, to what it has of a pool."""


class LibraryReader(Reader):
    """Reads one type of a library's primitives.

    Attributes:
        library: Its name, as it stands before the type's name.
        lends: True for a pool of connections.
    """

    library = ""
    lends = False

    def __init__(self, cls: type, waits: dict[CodeType, str]) -> None:
        self.type = cls
        self.waits = waits

    def called(self, thing: Any) -> str:
        """``asyncpg.Pool``; a program's own subclass by its own name."""
        name = type_name(thing)
        inside = module_of(type(thing)).partition(".")[0] == self.library
        return f"{self.library}.{name}" if inside else name

    def waited(self, levels: list[Level], future: Any) -> Any:
        """The primitive that a task waits for.

        Args:
            levels: From a function of ``waits`` inwards.
            future: What the innermost of them awaits.

        Returns:
            None when it waits there for something else.
        """
        return first(levels[0], self.type)

    def anchor(self, thing: Any) -> Any:
        """An object with the same life, where ``thing`` can't be weakly referenced."""
        return thing


class PoolReader(LibraryReader):
    """Reads a library's pool, which lends its things to tasks.

    Args:
        cls: The pool's class.
        waits: Functions that, suspended, may mean a wait for one of its things.
    """

    lends = True
    holdable = True

    def __init__(self, cls: type, waits: Iterable[CodeType]) -> None:
        super().__init__(cls, dict.fromkeys(waits, "pool"))


def pool_facts(
    taken: int,
    most: int | None,
    waiting: Sequence[Any],
    *,
    behind: bool = False,
    note: str = "",
    more: tuple[Detail, ...] = (),
) -> Facts:
    """A pool as it is now.

    Args:
        taken: Its things that are out.
        most: How many can be out; None for any number.
        waiting: Futures of those who wait, in queue order.
        behind: Whether a newcomer waits as soon as others do.
        note: To be written behind ``2/2 in use, 3 waiting``.
        more: Further numbers worth showing.
    """
    count = f"{taken}/{most} in use" if most is not None else f"{taken} in use, no limit"
    queue = f", {len(waiting)} waiting" if waiting else ""
    return Facts(
        state=f"{count}{queue}{note}",
        locked=(behind and bool(waiting)) or (most is not None and taken >= most),
        queue=tuple((future, "") for future in waiting),
        permits=most,
        taken=taken,
        details=(("size", most), ("in_use", taken), ("waiting", len(waiting)), *more),
    )


class Lead(NamedTuple):
    """How an object that programs keep leads to a primitive inside of it.

    Attributes:
        thing: The primitive.
        path: What to write behind the object's name: ``.connector``.
    """

    thing: Any
    path: str


@dataclass(slots=True)
class Book:
    """What the libraries' files have to say; see `asyncconsole.capture.libraries`.

    Attributes:
        readers: Readers by type.
        waits: Functions that, suspended, may mean a wait: reader and kind.
        managers: What a context manager in force has, by its type.
        objects: What an object has that a suspended frame of the library refers to.
        frames: What a suspended function has, by its code.
        files: Code files of which every frame is searched for such ``objects``.
        known: Code files that functions of ``waits`` and ``frames`` are in.
        leads: From an object to the primitives inside of it, by its type.
    """

    readers: dict[type, LibraryReader]
    waits: dict[CodeType, tuple[LibraryReader, str]]
    managers: dict[type, Lend]
    objects: dict[type, Lend]
    frames: dict[CodeType, Lend]
    files: set[str]
    known: set[str]
    leads: dict[type, Callable[[Any], Iterable[Lead]]]

    def read(self, reader: LibraryReader) -> None:
        """Take in a reader and its waits."""
        self.readers[reader.type] = reader
        for code, kind in reader.waits.items():
            self.waits[code] = (reader, kind)
            self.known.add(code.co_filename)

    def lend(self, cls: type | None, lend: Lend, *, frames: bool = True) -> None:
        """What objects of a class have: as context managers and, perhaps, in frames."""
        if cls is not None:
            self.managers[cls] = lend
            if frames:
                self.objects[cls] = lend

    def use(self, codes: Iterable[CodeType], lend: Lend) -> None:
        """What a suspended frame of that code has; ``lend`` gets the coroutine."""
        for code in codes:
            self.frames[code] = lend
            self.known.add(code.co_filename)

    def search(self, *modules: types.ModuleType | None) -> None:
        """Search the frames of these modules for objects that have something."""
        files = [attribute(module, "__file__") for module in modules if module is not None]
        self.files.update(file for file in files if type(file) is str)

    def lead(self, cls: type | None, path: str, shown: str | None = None) -> None:
        """Objects of a class keep the primitive at that path of attributes.

        Args:
            cls: The class; None for one that this version does not have.
            path: ``sync_engine.pool``.
            shown: What to write instead; the path when None.
        """
        text = f".{path}" if shown is None else shown

        def found(thing: Any) -> Iterator[Lead]:
            inner = follow(thing, path)
            if inner is not None:
                yield Lead(inner, text)

        if cls is not None:
            self.leads[cls] = found


def empty() -> Book:
    """A book without entries."""
    return Book({}, {}, {}, {}, {}, set(), set(), {})


def held_by(owner: Any) -> list[Any]:
    """What a suspended frame refers to, closure variables included."""
    found = []
    for item in referents(owner):
        if type(item) is types.CellType:
            found += contents((item,))
        else:
            found.append(item)
    return found


def first(level: Level, wanted: type) -> Any:
    """The first object of that type that a level's frame refers to."""
    return one(level.owner, wanted)


def one(owner: Any, wanted: type) -> Any:
    """The first object of that type that a suspended frame refers to, or None."""
    return next((item for item in held_by(owner) if issubclass(type(item), wanted)), None)


def awaited_queue(levels: list[Level]) -> Any:
    """The asyncio queue whose ``get()`` is among these levels, or None."""
    inner = next((level for level in levels if level.code is _GET), None)
    return first(inner, asyncio.Queue) if inner is not None else None


_GET = asyncio.Queue.get.__code__


def follow(thing: Any, path: str) -> Any:
    """The value at the end of a path of plain attributes, or None."""
    for name in path.split("."):
        if thing is None:
            return None
        thing = attribute(thing, name)
    return thing


def need(thing: Any, name: str) -> Any:
    """The value of an attribute that must be there.

    Raises:
        LookupError: when this version of the library has none of that name.
    """
    found = attribute(thing, name, _MISSING)
    if found is _MISSING:
        msg = f"{type_name(thing)} has no {name}: an unknown version?"
        raise LookupError(msg)
    return found


_MISSING: Any = object()


def codes(cls: Any, *names: str) -> list[CodeType]:
    """Code of those methods that this version's class has, decorators looked through."""
    found = []
    for name in names:
        for base in mro(cls) if isinstance(cls, type) else ():
            if name in space(base):
                code = code_of(space(base)[name])
                if code is not None:
                    found.append(code)
                break
    return found


def code_of(function: Any) -> CodeType | None:
    """Code of the function at the bottom of its decorators, or None."""
    for _ in range(MOST_DEEP):
        inner = attribute(function, "__wrapped__")
        if inner is None:
            break
        function = inner
    return function.__code__ if type(function) is types.FunctionType else None


def inner_codes(outer: Iterable[CodeType], name: str) -> list[CodeType]:
    """Code of the functions of that name that are defined inside of others."""
    return [
        item
        for code in outer
        for item in code.co_consts
        if type(item) is CodeType and item.co_name == name
    ]
