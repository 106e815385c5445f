"""What a frame is calling right now, in the words of its source."""

from __future__ import annotations

import itertools
import linecache
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType

LONGEST = 80
"""Characters of an answer, at most."""

_CALL = re.compile(r"(?<![\w.])(?:await\s+)?([A-Za-z_][\w.]*)\s*\(")
_NO_CALL = {"if", "elif", "while", "for", "in", "and", "or", "not", "return", "with", "await"}


def calling(code: CodeType, instruction: int, line: int) -> str:
    """The expression that is being called, such as ``time.sleep``.

    Args:
        code: Code of the frame.
        instruction: Its ``f_lasti``.
        line: Its line.

    Returns:
        The dotted name (or short expression) before the brackets, ``with NAME`` for a
        context manager that is being entered or left, "" when the frame calls nothing
        or its source can't be read.
    """
    try:
        text = linecache.getline(code.co_filename, line).strip()
        if sys.version_info >= (3, 11):
            return _from_segment(_segment(code, instruction), text)
        return _from_line(text) if _is_call(code, instruction) else ""
    except Exception:  # a source file can hold anything
        return ""


def _segment(code: CodeType, instruction: int) -> str:
    """The source of the expression that an instruction belongs to (3.11+)."""
    if sys.version_info < (3, 11):
        return ""
    place = next(itertools.islice(code.co_positions(), instruction // 2, None), None)
    if place is None or None in place:
        return ""
    first, last, start, end = place
    if first is None or last is None or start is None or end is None:
        return ""
    lines = [
        linecache.getline(code.co_filename, number).encode() for number in range(first, last + 1)
    ]
    lines[-1] = lines[-1][:end]  # columns count bytes of UTF-8; the end first: it may be one line
    lines[0] = lines[0][start:]
    return b"".join(lines).decode()


def _from_segment(segment: str, text: str) -> str:
    import ast  # noqa: PLC0415 - only in a stall

    if not segment:
        return ""
    if segment.startswith(("with ", "async with ")):
        return _from_line(text)  # 3.11 names the whole statement
    source = f"({segment})"
    node: ast.expr = ast.parse(source, mode="eval").body

    def words(part: ast.expr) -> str:
        # Not ast.unparse: since 3.14 it imports, and the program may stand still in an import.
        return " ".join((ast.get_source_segment(source, part) or "").split())

    if isinstance(node, ast.Await):
        node = node.value
    if isinstance(node, ast.Call):
        return _short(words(node.func))
    if text.startswith(("with ", "async with ")):
        return _short(f"with {words(node)}")
    return ""


def _is_call(code: CodeType, instruction: int) -> bool:
    """True when an instruction calls something (3.10)."""
    import opcode  # noqa: PLC0415 - only in a stall

    name = opcode.opname[code.co_code[instruction]]
    return name.startswith("CALL") or name in {"SETUP_WITH", "WITH_EXCEPT_START", "YIELD_FROM"}


def _from_line(text: str) -> str:
    if text.startswith(("with ", "async with ")) and "(" not in text:
        return _short(text.removeprefix("async ").rstrip(":").partition(" as ")[0])
    for found in _CALL.finditer(text):
        if found[1] not in _NO_CALL:
            return _short(found[1])
    return ""


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
