"""Handlers that take a cancellation for one more error, read from the source.

A cancellation that is thrown into a task goes outwards from its innermost frame. If a handler
around one of its frames catches it, does not raise it again and is in a loop, the task goes on.
"""

from __future__ import annotations

import ast
import asyncio
import linecache
import textwrap
import types
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from asyncconsole.capture.chain import Chain
from asyncconsole.capture.code import code_facts
from asyncconsole.model import Frame

MOST_LINES = 2_000
"""Lines of a function that is read."""

_NAMES = frozenset({"BaseException", "CancelledError"})
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_LOOPS = (ast.While, ast.For, ast.AsyncFor)
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Handler = tuple[list[ast.expr | None], "ast.ExceptHandler | ast.With | ast.AsyncWith"]
"""What it catches, and itself."""


def catcher(chain: Chain) -> Frame | None:
    """The handler that would catch a cancellation of a task and let it go on.

    Args:
        chain: Where the task stands.

    Returns:
        Its place; None when there is none, or the source does not tell.
    """
    for level, frame in zip(reversed(chain.levels), reversed(chain.shape.frames), strict=True):
        code = level.code
        if not code_facts(code).own or not level.line:
            continue
        last = max((line or 0 for _, _, line in code.co_lines()), default=0)
        names = _globals(level.owner)
        line = _line(code.co_filename, code.co_firstlineno, last, level.line, names)
        if line:
            return Frame(code.co_filename, line, frame.function, own=True)
    return None


def _globals(owner: Any) -> dict[str, Any]:
    """Global variables of a coroutine's or generator's code."""
    for name in ("cr_frame", "gi_frame", "ag_frame"):
        frame = getattr(owner, name, None) if type(owner) in _OWNERS else None
        if frame is not None:
            space = frame.f_globals
            return space if type(space) is dict else {}
    return {}


_OWNERS = (types.CoroutineType, types.GeneratorType, types.AsyncGeneratorType)


def _line(file: str, first: int, last: int, at: int, names: dict[str, Any]) -> int:
    """The line of the handler in one function; 0 for none."""
    if not first <= at <= last < first + MOST_LINES:
        return 0
    function = _function(file, first, last)
    if function is None:
        return 0
    for handlers, looped in reversed(list(_around(function.body, at - first + 1))):
        chosen = next(
            (one for kinds, one in handlers if any(_catches(kind, names) for kind in kinds)), None
        )
        if chosen is not None and looped and _goes_on(chosen):
            return chosen.lineno + first - 1
    return 0


@lru_cache(maxsize=256)
def _function(file: str, first: int, last: int) -> _Function | None:
    """The source of a function, read."""
    return _parsed(_block(linecache.getlines(file)[first - 1 : last + _TAIL]))


_TAIL = 30
"""Lines after a function's last instruction that may still belong to it, such as brackets."""


def _block(lines: list[str]) -> list[str]:
    """Lines up to the first that is indented less than they begin, without that indentation."""
    depth = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
    kept = []
    for line in lines:
        if line.strip() and len(line) - len(line.lstrip()) < depth:
            break
        kept.append(line)
    return textwrap.dedent("".join(kept)).splitlines(keepends=True)


def _parsed(lines: list[str]) -> _Function | None:
    """The function at the beginning of lines that may go on after it."""
    for end in range(len(lines), max(0, len(lines) - _TAIL - 1), -1):
        try:
            body = ast.parse("".join(lines[:end])).body
        except (SyntaxError, ValueError):
            continue
        found = body[0] if body else None
        return found if isinstance(found, (ast.FunctionDef, ast.AsyncFunctionDef)) else None
    return None


def _around(
    body: list[ast.stmt], at: int, *, looped: bool = False
) -> Iterator[tuple[list[_Handler], bool]]:
    """Handlers for an error on a line, together those of one ``try``, outermost first.

    And whether they are in a loop.
    """
    for node in body:
        if isinstance(node, _INNER) or not node.lineno <= at <= (node.end_lineno or 0):
            continue
        inside = looped or isinstance(node, _LOOPS)
        if isinstance(node, ast.Try):
            if _holds(node.body, at):
                yield [([handler.type], handler) for handler in node.handlers], inside
        elif isinstance(node, (ast.With, ast.AsyncWith)) and (kinds := _suppressed(node)):
            yield [(kinds, node)], inside
        for name in ("body", "orelse", "finalbody"):
            yield from _around(getattr(node, name, []), at, looped=inside)
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            yield from _around(part.body, at, looped=inside)


def _holds(body: list[ast.stmt], at: int) -> bool:
    return body[0].lineno <= at <= (body[-1].end_lineno or 0)


def _catches(kind: ast.expr | None, names: dict[str, Any]) -> bool:
    """True for ``except:``, for what a CancelledError is, and global variables with one."""
    if kind is None:
        return True
    if isinstance(kind, ast.Tuple):
        return any(_catches(item, names) for item in kind.elts)
    if isinstance(kind, ast.Name) and kind.id not in _NAMES:
        found = names.get(kind.id)
        members = found if type(found) is tuple else (found,)
        return any(item in _CAUGHT for item in members if type(item) is type)
    name = kind.attr if isinstance(kind, ast.Attribute) else getattr(kind, "id", "")
    return name in _NAMES


_CAUGHT = (asyncio.CancelledError, BaseException)


def _suppressed(node: ast.With | ast.AsyncWith) -> list[ast.expr | None]:
    """What ``with suppress(...)`` lets go by."""
    found: list[ast.expr | None] = []
    for item in node.items:
        call = item.context_expr
        if isinstance(call, ast.Call):
            name = getattr(call.func, "attr", "") or getattr(call.func, "id", "")
            if name == "suppress":
                found += call.args
    return found


def _goes_on(handler: ast.ExceptHandler | ast.With | ast.AsyncWith) -> bool:
    """True when nothing in a handler leaves the loop that it is in."""
    if not isinstance(handler, ast.ExceptHandler):
        return True
    todo: list[ast.AST] = list(handler.body)
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.Raise, ast.Return, ast.Break)):
            return False
        if not isinstance(node, _INNER):
            todo += ast.iter_child_nodes(node)
    return True
