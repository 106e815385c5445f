"""The expression in a source line that names what is taken or awaited there."""

from __future__ import annotations

import linecache
import re
import sys
from functools import lru_cache
from itertools import islice
from types import CodeType

_NAME = r"(?P<what>[\w.]+(?:\[[^\]]*\])?)"
_WITH = re.compile(rf"\bwith {_NAME}(?:\s+as\s+\w+)?\s*:")
_ENTERS = re.compile(r"\basync " + _WITH.pattern)
_TAKEN = re.compile(r"await (?:asyncio\.)?(?:wait_for\()?(?P<what>[\w.\[\]'\"]+)\.acquire\(")
_CALL = re.compile(
    r"await (?:asyncio\.)?(?:wait_for\()?(?P<what>[\w.\[\]'\"]+)\.(?:acquire|get|put|join|wait)\("
)
_AWAIT = re.compile(rf"await (?:asyncio\.)?(?:wait_for\(|shield\()?{_NAME}\s*(?:[,)]|$)")
_LENT = re.compile(r"\b(?!(?:asyncio|anyio)\.)(?P<what>[A-Za-z_][\w.]*)\.\w+\(")


@lru_cache(maxsize=4096)
def taken(
    file: str, number: int, span: tuple[int, int, int, int] | None, *, lends: bool
) -> str | None:
    """What a with-item or a call of ``acquire`` takes; thousands are taken in the same few."""
    text = _segment(file, span)
    if text:
        return (_lender(text) if lends else None) or " ".join(text.split())
    text = linecache.getline(file, number)
    return (_lender(text) if lends else None) or _first(text, (_WITH, _TAKEN))


def awaited(code: CodeType, number: int, at: int, *, lends: bool) -> str | None:
    """What the await at an instruction waits for."""
    return _awaited(code.co_filename, number, _span(code, at), lends=lends)


@lru_cache(maxsize=4096)
def _awaited(
    file: str, number: int, span: tuple[int, int, int, int] | None, *, lends: bool
) -> str | None:
    line = linecache.getline(file, number)
    text = _segment(file, span)
    found = (_lender(text) or _lender(line)) if lends else None
    if found is not None:
        return found
    if text.startswith("await "):
        return _first(text, (_CALL, _AWAIT))
    if text.startswith("async with "):
        return _first(text, (_ENTERS,))
    enters = _first(line, (_ENTERS,))
    if enters is not None and "await " in line:
        return None  # a block on the line of its header: before 3.11 either may be what waits
    return enters or _first(line, (_CALL, _AWAIT))


def _first(text: str, patterns: tuple[re.Pattern[str], ...]) -> str | None:
    """What the first pattern that fits finds."""
    for pattern in patterns:
        match = pattern.search(text)
        if match:
            return match["what"]
    return None


def _span(code: CodeType, at: int) -> tuple[int, int, int, int] | None:
    """Source range of the expression an instruction belongs to (3.11+)."""
    if sys.version_info < (3, 11):
        return None
    line, end, start, stop = next(islice(code.co_positions(), at // 2, None), (None,) * 4)
    if line is None or end is None or start is None or stop is None:
        return None
    return line, end, start, stop


def _segment(file: str, span: tuple[int, int, int, int] | None) -> str:
    """Source of a range within one line; columns count bytes."""
    if span is None or span[0] != span[1]:
        return ""
    line = linecache.getline(file, span[0]).encode()
    return line[span[2] : span[3]].decode(errors="replace")


def _lender(text: str) -> str | None:
    """``engine`` in ``engine.connect()``, for a pool: what it was borrowed of."""
    match = _LENT.search(text)
    return match["what"] if match is not None else None
