"""Work in slices, a generator that yields after each of them: run to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any, TypeVar

T = TypeVar("T")


def finish(work: Generator[Any, None, T]) -> T:
    """Run it in one go."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: T = end.value
            return found


async def drive(work: Generator[Any, None, T]) -> T:
    """Run it; others get a turn between slices."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: T = end.value
            return found
        await asyncio.sleep(0)
