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
def _by_type() -> dict[type, Reader]:
    return {reader.type: reader for reader in _readers()}


def register(more: Mapping[type, Reader]) -> None:
    """Take in readers of a library that the program has loaded meanwhile."""
    _by_type().update(more)
    _known.clear()


def reader_for(thing: Any) -> Reader | None:
    """The reader for an object's class or the nearest base, or None."""
    kind = type(thing)
    try:
        return _known[kind]
    except KeyError:
        book = _by_type()
        found = next((book[base] for base in mro(kind) if base in book), None)
        _known[kind] = found
        return found


_known: weakref.WeakKeyDictionary[type, Reader | None] = weakref.WeakKeyDictionary()


@cache
def wait_codes() -> dict[CodeType, tuple[Reader, str]]:
    """Functions that, suspended, mean a wait: to the reader and the kind of wait."""
    return {code: (reader, kind) for reader in _readers() for code, kind in reader.waits.items()}
