"""Asking a frozen copy of the living program what only a whole heap tells."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

from asyncconsole.model import Gap
from asyncconsole.model.autopsy import Autopsy
from asyncconsole.serve import copies

if TYPE_CHECKING:
    from asyncconsole.capture.program import Program
    from asyncconsole.model.ended import Ended

DEADLINE = 10.0
"""Seconds for the copy."""

MOST_NUMBERS = 2_000
"""Ended tasks whose ids are remembered."""


async def take(program: Program) -> Autopsy:
    """What the copy tells; a gap with the reason where there is none."""
    from asyncconsole.capture import autopsy, frozen, libraries  # noqa: PLC0415 - when asked for

    libraries.install()
    began = time.monotonic()
    try:
        data, pause = await copies.ask(lambda: autopsy.tell(program), DEADLINE)
    except frozen.NoCopyError as error:
        return _none(error)
    return _told(program, data, pause, began)


def take_here(program: Program) -> Autopsy:
    """The same in the calling thread, which waits for it."""
    from asyncconsole.capture import autopsy, frozen, libraries  # noqa: PLC0415 - when asked for

    libraries.install()
    began = time.monotonic()
    try:
        copy = frozen.Copy(lambda: autopsy.tell(program), DEADLINE)
        data = b"".join(frozen.answer(copy))
    except frozen.NoCopyError as error:
        return _none(error)
    return _told(program, data, copy.pause, began)


def _none(error: Exception) -> Autopsy:
    return Autopsy(gaps=(Gap("what can wake the tasks", str(error)),))


def _told(program: Program, data: bytes, pause: float, began: float) -> Autopsy:
    from asyncconsole.capture import autopsy  # noqa: PLC0415 - loaded by whoever asked

    found = autopsy.read(data)
    ended = [
        item if item.id > 0 else dataclasses.replace(item, id=_numbered(program, item))
        for item in found.ended
    ]
    return dataclasses.replace(
        found, ended=tuple(ended), pause=pause, took=time.monotonic() - began
    )


_numbers: dict[tuple[int, str, str], int] = {}
"""Ids of ended tasks that only copies have seen: by address, name and coroutine."""


def _numbered(program: Program, item: Ended) -> int:
    """The id of an ended task, the same one in each copy that has it."""
    key = item.id, item.name, item.coro
    if key not in _numbers:
        if len(_numbers) >= MOST_NUMBERS:
            _numbers.pop(next(iter(_numbers)))
        _numbers[key] = program.tasks.fresh()
    return _numbers[key]
