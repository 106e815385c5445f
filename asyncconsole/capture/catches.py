"""Handlers that take a cancellation for one more error, read from the source.

A cancellation that is thrown into a task goes outwards from its innermost frame. If a handler
around one of its frames catches it, does not raise it again and is in a loop, the task goes on.
"""

from __future__ import annotations

import ast
import linecache
import textwrap
from collections.abc import Iterator
from functools import lru_cache

from asyncconsole.capture.chain import Chain
from asyncconsole.capture.code import code_facts
from asyncconsole.model import Frame

MOST_LINES = 2_000
"""Lines of a function that is read."""

_NAMES = frozenset({"BaseException", "CancelledError"})
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_LOOPS = (ast.While, ast.For, ast.AsyncFor)
_Handler = tuple["ast.ExceptHandler | ast.With | ast.AsyncWith", bool]


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
        line = _line(code.co_filename, code.co_firstlineno, last, level.line)
        if line:
            return Frame(code.co_filename, line, frame.function, own=True)
    return None


@lru_cache(maxsize=1024)
def _line(file: str, first: int, last: int, at: int) -> int:
    """The line of the handler in one function; 0 for none."""
    if not first <= at <= last < first + MOST_LINES:
        return 0
    lines = linecache.getlines(file)[first - 1 : last + _TAIL]
    function = _parsed(_block(lines))
    if function is None:
        return 0
    handlers = _around(function.body, at - first + 1, looped=False)
    for handler, looped in reversed(list(handlers)):
        if looped and _goes_on(handler):
            return handler.lineno + first - 1
    return 0


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


def _parsed(lines: list[str]) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The function at the beginning of lines that may go on after it."""
    for end in range(len(lines), max(0, len(lines) - _TAIL - 1), -1):
        try:
            body = ast.parse("".join(lines[:end])).body
        except (SyntaxError, ValueError):
            continue
        found = body[0] if body else None
        return found if isinstance(found, (ast.FunctionDef, ast.AsyncFunctionDef)) else None
    return None


def _around(body: list[ast.stmt], at: int, *, looped: bool) -> Iterator[_Handler]:
    """Handlers for an error on a line, outermost first, and whether each is in a loop."""
    for node in body:
        if isinstance(node, _INNER) or not node.lineno <= at <= (node.end_lineno or 0):
            continue
        inside = looped or isinstance(node, _LOOPS)
        if isinstance(node, ast.Try):
            if _holds(node.body, at):
                for handler in node.handlers:
                    if _catches(handler.type):
                        yield handler, inside
                        break
        elif isinstance(node, (ast.With, ast.AsyncWith)) and _suppresses(node):
            yield node, inside
        for name in ("body", "orelse", "finalbody"):
            yield from _around(getattr(node, name, []), at, looped=inside)
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            yield from _around(part.body, at, looped=inside)


def _holds(body: list[ast.stmt], at: int) -> bool:
    return body[0].lineno <= at <= (body[-1].end_lineno or 0)


def _catches(kind: ast.expr | None) -> bool:
    """True for ``except:`` and for what a CancelledError is."""
    if kind is None:
        return True
    if isinstance(kind, ast.Tuple):
        return any(_catches(item) for item in kind.elts)
    name = kind.attr if isinstance(kind, ast.Attribute) else getattr(kind, "id", "")
    return name in _NAMES


def _suppresses(node: ast.With | ast.AsyncWith) -> bool:
    for item in node.items:
        call = item.context_expr
        if isinstance(call, ast.Call):
            name = getattr(call.func, "attr", "") or getattr(call.func, "id", "")
            if name == "suppress" and any(_catches(argument) for argument in call.args):
                return True
    return False


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
