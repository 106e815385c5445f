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

DEADLINE = 10.0
"""Seconds for the copy."""


async def take(program: Program) -> Autopsy:
    """What the copy tells; a gap with the reason where there is none."""
    from asyncconsole.capture import autopsy, frozen, libraries  # noqa: PLC0415 - when asked for

    libraries.install()
    began = time.monotonic()
    try:
        data, pause = await copies.ask(lambda: autopsy.tell(program), DEADLINE)
    except frozen.NoCopyError as error:
        return Autopsy(gaps=(Gap("what can wake the tasks", str(error)),))
    found = autopsy.read(data)
    ended = [
        item if item.id else dataclasses.replace(item, id=program.tasks.fresh())
        for item in found.ended
    ]
    return dataclasses.replace(
        found, ended=tuple(ended), pause=pause, took=time.monotonic() - began
    )
