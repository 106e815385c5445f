"""One small reader per primitive, found by looking into this folder."""

from __future__ import annotations

import importlib
import pkgutil
import weakref
from collections.abc import Mapping
from functools import cache
from types import CodeType
from typing import Any

from asyncconsole.capture.objects import mro
from asyncconsole.capture.readers.reader import Facts, Reader

__all__ = ["Facts", "Reader", "reader_for", "register", "wait_codes"]


@cache
def _readers() -> tuple[Reader, ...]:
    found = []
    for module in pkgutil.iter_modules(__path__):
        if module.name != "reader":
            found.append(importlib.import_module(f"{__name__}.{module.name}").READER)
    return tuple(found)


@cache
def _by_type() -> dict[int, Reader]:
    return {id(reader.type): reader for reader in _readers()}


def register(more: Mapping[type, Reader]) -> None:
    """Take in readers of a library that the program has loaded meanwhile."""
    _by_type().update({id(kind): reader for kind, reader in more.items()})
    _known.clear()


def reader_for(thing: Any) -> Reader | None:
    """The reader for an object's class or the nearest base, or None."""
    kind = type(thing)
    known = _known.get(id(kind))
    if known is not None and known[0]() is kind:
        return known[1]
    book = _by_type()
    found = next((book[id(base)] for base in mro(kind) if id(base) in book), None)
    if len(_known) >= MOST_TYPES:
        _known.pop(next(iter(_known)), None)
    _known[id(kind)] = (weakref.ref(kind), found)
    return found


MOST_TYPES = 8192
# By id: a type's hash may be a metaclass's own.
_known: dict[int, tuple[weakref.ref[type], Reader | None]] = {}


@cache
def wait_codes() -> dict[CodeType, tuple[Reader, str]]:
    """Functions that, suspended, mean a wait: to the reader and the kind of wait."""
    return {code: (reader, kind) for reader in _readers() for code, kind in reader.waits.items()}
