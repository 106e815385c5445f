"""What tracking knows beside what can be read: the port between ``track`` and a capture.

A capture asks it for exact owners and for creation sites when a program is tracked. All
of it is optional: without records a capture sees what can be seen with nothing patched.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any, NamedTuple, Protocol

from asyncconsole.capture.code import code_facts, short
from asyncconsole.model import Frame

MOST_SITES = 8192
"""Places whose line is remembered."""


class Site(NamedTuple):
    """A place in a program: a code object and ``f_lasti`` of its frame."""

    code: CodeType
    instruction: int


@dataclass(frozen=True, slots=True)
class Owner:
    """Who took a primitive, as recorded when it was taken.

    Attributes:
        task: The live task; None where only the moment is known.
        since: Monotonic time; None where only the task is known.
        site: Where; None unless all is known.
    """

    task: Any
    since: float | None
    site: Site | None


@dataclass(frozen=True, slots=True)
class Creation:
    """How a task came to be.

    Attributes:
        at: Monotonic time.
        frames: Where, innermost first.
        creator: The live task that created it, or None.
    """

    at: float
    frames: tuple[Frame, ...]
    creator: Any


class Records(Protocol):
    """What was recorded; may be asked from any thread, keeps nothing alive."""

    def creation(self, task: Any) -> Creation | None:
        """How a live task came to be."""

    def owners(self, thing: Any) -> list[Owner]:
        """Who has a primitive now, as far as recorded."""

    def taken(self) -> list[Any]:
        """Primitives that were taken by an explicit ``acquire`` and not given back."""


def frame_at(site: Site) -> Frame:
    """A recorded place as plain data."""
    key = (id(site.code), site.instruction)
    known = _frames.get(key)
    if known is not None and known[0]() is site.code:
        return known[1]
    facts = code_facts(site.code)
    function = facts.function or short(site.code.co_name)
    kind = "coroutine" if site.code.co_flags & _COROUTINE else "call"
    frame = Frame(site.code.co_filename, line_at(site), function, facts.own, kind)
    if len(_frames) >= MOST_SITES:
        _frames.pop(next(iter(_frames)), None)
    _frames[key] = (weakref.ref(site.code), frame)
    return frame


_COROUTINE = 0x80  # inspect.CO_COROUTINE; that module is slow to import
_frames: dict[tuple[int, int], tuple[weakref.ref[CodeType], Frame]] = {}


def line_at(site: Site) -> int:
    """The source line of a place; the function's first line when Python doesn't tell."""
    for start, end, line in site.code.co_lines():
        if start <= site.instruction < end and line is not None:
            return line
    return site.code.co_firstlineno


def sites(flat: tuple[Any, ...]) -> Iterator[Site]:
    """Places from the flat tuple that hooks store: code, instruction, code, ..."""
    return (Site(flat[index], flat[index + 1]) for index in range(0, len(flat) - 1, 2))
