"""Primitives and connection pools of other libraries; one file for each library.

A file is imported when its library is already loaded in the program, never before, so
that a library which is absent costs a look into ``sys.modules``. What a file can't
find in the version at hand it leaves out: the program is then shown as if the console
did not know the library.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import pkgutil
import sys
import types
import weakref
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple, TypeVar

from asyncconsole.capture import futures, readers
from asyncconsole.capture.chain import Chain, Level, walk
from asyncconsole.capture.code import code_facts
from asyncconsole.capture.exits import referents
from asyncconsole.capture.libraries.library import Book, Lead, LibraryReader, Loan, empty, held_by
from asyncconsole.capture.libraries.shipped import ShippedReader
from asyncconsole.capture.objects import attribute, mro
from asyncconsole.model import Gap

__all__ = [
    "LibraryReader",
    "Loan",
    "anchor",
    "install",
    "keep_owners",
    "leads",
    "learn",
    "lent",
    "used",
    "waited",
    "waits",
]

log = logging.getLogger("asyncconsole")

MOST_LEVELS = 200
"""Levels of one library's code, one inside the other, that are looked at."""

MOST_TYPES = 8192
"""Types whose entry is remembered."""

_book: Book = empty()
_installed: set[str] = set()
_failed: dict[str, str] = {}
# By id: a type's hash may be a metaclass's own.
_Memory = dict[int, tuple["weakref.ref[type]", Any]]
_lenders: _Memory = {}
_users: _Memory = {}
_leaders: _Memory = {}
_WAIT_FOR = asyncio.wait_for.__code__ if sys.version_info < (3, 12) else None
"""Until 3.11 ``wait_for`` gives what it awaits to a task of its own."""

_Found = TypeVar("_Found")


@cache
def _names() -> tuple[str, ...]:
    """The libraries that there is a file for."""
    return tuple(module.name for module in pkgutil.iter_modules(__path__) if _is_one(module.name))


def _is_one(name: str) -> bool:
    return name not in {"library", "shipped"}


def install() -> list[Gap]:
    """Learn the libraries that the program has loaded meanwhile.

    Returns:
        Those whose file failed, each time.
    """
    for name in _names():
        if name in sys.modules and name not in _installed and name not in _failed:
            try:
                _install(name)
            except Exception as broken:  # a version of it that is made differently
                _failed[name] = f"{type(broken).__name__}: {broken}"[:200]
                log.info("The reader of %s is off", name, exc_info=True)
    return [Gap(name, why) for name, why in _failed.items()]


def _install(name: str) -> None:
    file = importlib.import_module(f"{__name__}.{name}")
    module = sys.modules.get(file.MODULE)
    if module is None or attribute(attribute(module, "__spec__"), "_initializing"):
        return  # not used yet, or another thread is just importing it
    book = empty()
    file.install(module, book)
    for memory in (_lenders, _users, _leaders):
        memory.clear()
    for part in ("readers", "waits", "managers", "objects", "frames", "files", "known", "leads"):
        getattr(_book, part).update(getattr(book, part))
    readers.register(book.readers)
    _installed.add(name)


def learn(reader: readers.Reader) -> None:
    """Take in a reader that a library ships itself."""
    known = reader if isinstance(reader, LibraryReader) else ShippedReader(reader)
    _book.read(known)
    readers.register({known.type: known})


class Waited(NamedTuple):
    """What a task waits for inside of a library.

    Attributes:
        kind: As in `asyncconsole.model.Wait.kind`.
        thing: The primitive.
        future: The future that is in its queue.
        holdable: Whether tasks hold it.
        timed: The level of a ``wait_for`` that bounds the wait, or None.
    """

    kind: str
    thing: Any
    future: Any
    holdable: bool
    timed: Level | None


def waits() -> bool:
    """Whether there are libraries loaded in which tasks wait for what `waited` knows."""
    return bool(_book.waits)


def waited(chain: Chain, future: Any) -> Waited | None:
    """What a task waits for, when it is suspended in a library that is known."""
    if not _book.waits:
        return None
    levels = _foreign(chain)
    timed = None
    if _WAIT_FOR is not None and levels and levels[-1].code is _WAIT_FOR:
        timed = levels[-1]
        within, future = _inside(timed, future)
        levels += within
    for index, level in enumerate(levels):
        # The file first: a code object's hash is slow.
        inside = level.code.co_filename in _book.known
        known = _book.waits.get(level.code) if inside else None
        if known is not None:
            reader, kind = known
            thing = _try(reader.waited, levels[index:], future)
            if thing is not None:
                return Waited(kind, thing, future, reader.holdable, timed)
    return None


def _foreign(chain: Chain) -> list[Level]:
    """The innermost run of levels that are not the program's own, outermost first."""
    index = end = len(chain.levels)
    while index and end - index < MOST_LEVELS:
        code = chain.levels[index - 1].code
        if code_facts(code).own and code.co_filename not in _book.known:
            break  # what ships a reader is a library, also where it is being written
        index -= 1
    return chain.levels[index:]


def _inside(level: Level, future: Any) -> tuple[list[Level], Any]:
    """The levels of a ``wait_for``'s own task, and the future at their end."""
    for item in referents(level.owner):
        if futures.is_task(item):
            chain = walk(futures.coroutine(item))
            if _foreign(chain) == chain.levels and futures.waiter(item) is not None:
                return chain.levels, futures.waiter(item)
    return [], future


def lent(manager: Any) -> list[Loan] | None:
    """What a context manager in force has; None when it is none of a library's."""
    if not _book.managers:
        return None
    lend = _remembered(_lenders, _book.managers, type(manager))
    return None if lend is None else _listed(lend, manager)


def used(owner: Any, code: types.CodeType) -> list[Loan]:
    """What a suspended function of a library has of a pool."""
    found: list[Loan] = []
    lend = _book.frames.get(code) if code.co_filename in _book.known else None
    if lend is not None:
        found += _listed(lend, owner)
    if code.co_filename in _book.files:
        for item in held_by(owner):
            of_type = _remembered(_users, _book.objects, type(item))
            if of_type is not None:
                found += _listed(of_type, item)
    return found


def leads(value: Any) -> list[Lead]:
    """Primitives inside of an object of a library, to name them by it."""
    if not _book.leads:
        return []
    lead = _remembered(_leaders, _book.leads, type(value))
    return [] if lead is None else _listed(lead, value)


def keep_owners() -> bool:
    """Whether there are primitives that tell who has them though no stack shows it."""
    return any(
        type(reader).owners is not readers.Reader.owners for reader in _book.readers.values()
    )


def anchor(thing: Any) -> Any:
    """An object that lives as long as ``thing`` and can be weakly referenced, or None."""
    reader = readers.reader_for(thing)
    if not isinstance(reader, LibraryReader):
        return None
    return _try(reader.anchor, thing)


def _remembered(memory: _Memory, entries: dict[type, _Found], kind: type) -> _Found | None:
    """The entry for a class or its nearest base."""
    known = memory.get(id(kind))
    if known is not None and known[0]() is kind:
        return known[1]  # type: ignore[no-any-return]  # what was put in below
    by_id = {id(base): entry for base, entry in entries.items()}
    found = next((by_id[id(base)] for base in mro(kind) if id(base) in by_id), None)
    if len(memory) >= MOST_TYPES:
        memory.pop(next(iter(memory)), None)
    memory[id(kind)] = (weakref.ref(kind), found)
    return found


def _listed(function: Callable[[Any], Any], thing: Any) -> list[Any]:
    return _try(_list, function, thing) or []


def _list(function: Callable[[Any], Iterator[Any]], thing: Any) -> list[Any]:
    return list(function(thing))


def _try(function: Callable[..., _Found], *arguments: Any) -> _Found | None:
    """The function's answer; None where this version of the library is made differently."""
    try:
        return function(*arguments)
    except Exception:
        log.debug("A library's reader failed", exc_info=True)
        return None
