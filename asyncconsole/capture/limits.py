"""Timeouts in force, as the code of a chain of frames tells: nothing but code is looked at."""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterable

from asyncconsole.capture.exits import entered
from asyncconsole.capture.records import Site

_NAMES = frozenset(
    {"timeout", "timeout_at", "fail_after", "fail_at", "move_on_after", "move_on_at", "Timeout"}
)
_CALL = re.compile(rf"\b(?:{'|'.join(sorted(_NAMES))})\s*\(")


def limited(chain: Iterable[Site]) -> bool:
    """True when some frame of a chain stands inside ``async with timeout(...)`` or the like.

    Those of asyncio, async-timeout and anyio are known by their names, and so is a
    ``wait_for`` from 3.12 on, which is made of one.
    """
    return any(_limits(site) for site in chain if not _NAMES.isdisjoint(site.code.co_names))


def _limits(site: Site) -> bool:
    for item in entered(site.code, site.instruction):
        text = linecache.getline(site.code.co_filename, item.line)
        if not text or _CALL.search(text):  # without its source, its names have to do
            return True
    return False


def tries(site: Site) -> bool:
    """True for code that asks a lock whether it is ``locked()``, so as not to wait for it."""
    return "locked" in site.code.co_names
