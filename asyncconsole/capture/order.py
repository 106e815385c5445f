"""Putting a hundred thousand things in order without holding the interpreter for long.

``list.sort`` of so many is one C call, in which no other thread gets a turn: 100 ms for
tuples. Runs are sorted one by one and merged two by two; the longest merge is one pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeVar

T = TypeVar("T", int, str)

RUN = 4096
"""Keys sorted in one go."""


def ordered(keys: list[T]) -> list[T]:
    """The keys in ascending order; like ``sorted``, but in steps."""
    runs = [sorted(keys[start : start + RUN]) for start in range(0, len(keys), RUN)]
    while len(runs) > 1:
        merged = []
        for index in range(0, len(runs), 2):
            both = runs[index]
            if index + 1 < len(runs):
                both += runs[index + 1]
                both.sort()  # sees two ordered halves and merges them
            merged.append(both)
        runs = merged
    return runs[0] if runs else []


def by_creation(named: Iterable[tuple[str, Any]]) -> list[Any]:
    """Tasks in the order they were probably created.

    Asyncio counts unnamed tasks (``Task-7``); named ones come after them, by name, numbers
    in it by their value.

    Args:
        named: Name and task.
    """
    counted: dict[int, Any] = {}
    others: dict[str, list[Any]] = {}
    for name, task in named:
        digits = name[5:] if name.startswith("Task-") else ""
        if digits.isdecimal() and len(digits) <= _MOST_DIGITS and int(digits) not in counted:
            counted[int(digits)] = task
        else:
            others.setdefault(_NUMBER.sub(_padded, name), []).append(task)
    found = [counted[key] for key in ordered(list(counted))]
    for key in ordered(list(others)):
        found += others[key]
    return found


_MOST_DIGITS = 15
_NUMBER = re.compile(r"\d+")


def _padded(match: re.Match[str]) -> str:
    return match[0].zfill(20)
