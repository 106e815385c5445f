"""From typed lines to code objects."""

from __future__ import annotations
import __future__

import ast
import itertools
import linecache
from collections import deque
from dataclasses import dataclass
from types import CodeType

COROUTINE = 0x80
"""``inspect.CO_COROUTINE``: the code has to be awaited."""

_INCOMPLETE = 0x4000
"""``PyCF_ALLOW_INCOMPLETE_INPUT`` of CPython's Include/cpython/compile.h, same in 3.10 to 3.15."""

_NO_DEDENT = 0x200
"""``PyCF_DONT_IMPLY_DEDENT``: a block without a blank line after it has not ended."""

LONGEST = 1 << 20
"""Most characters of one statement."""

KEPT = 200
"""Statements of a session whose text is kept for tracebacks."""

UNREADABLE = (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError)
"""What the compiler raises for text that is no program."""

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Code:
    """One statement or several, ready to run.

    Attributes:
        parts: To be evaluated in this order; the value of the last is the answer.
        awaits: True when one of them is a coroutine.
    """

    parts: tuple[CodeType, ...]
    awaits: bool


class Compiler:
    """Compiles the statements of one session.

    It remembers ``from __future__ import ...`` and keeps the text of statements where
    tracebacks look for it.
    """

    def __init__(self) -> None:
        self._future = 0
        self._names: deque[str] = deque()

    def compile(self, lines: list[str]) -> Code | None:
        """The code of ``lines``; None when more lines are to come.

        A blank line ends a block, as in Python's own REPL. Several pasted statements
        are taken as well.

        Raises:
            SyntaxError: And the others in `UNREADABLE`.
        """
        text = "\n".join(lines)
        if not any(says_something(line) for line in lines):
            return Code((), awaits=False)
        if len(text) > LONGEST:
            msg = f"more than {LONGEST:,} characters in one statement"
            raise ValueError(msg)
        name = f"<console {next(_numbers)}>"
        body = self.parse(text, name)
        return None if body is None else self._assemble(body, text, name)

    def forget(self) -> None:
        """Drop the texts kept for tracebacks."""
        for name in self._names:
            linecache.cache.pop(name, None)
        self._names.clear()

    def parse(self, text: str, name: str) -> list[ast.stmt] | None:
        """The statements, or None when the text is not complete."""
        try:
            return self._tree(text, name, "single")
        except SyntaxError as error:
            first = error
        try:
            self._tree(text + "\n", name, "single")
        except SyntaxError as error:
            if _is_incomplete(error):
                return None
        else:
            return None  # complete, once a blank line says so
        try:
            body = self._tree(text + "\n", name, "exec")
        except SyntaxError as error:
            if _is_incomplete(error):
                return None
            raise first from None
        last = text.rpartition("\n")[2]
        return None if last[:1].isspace() and last.strip() else body

    def _tree(self, text: str, name: str, mode: str) -> list[ast.stmt]:
        # Only a tree: the compiler proper, with its warnings, runs once, in _assemble.
        flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | _INCOMPLETE | _NO_DEDENT
        tree = compile(text, name, mode, flags | self._future, dont_inherit=True)
        assert isinstance(tree, ast.Interactive | ast.Module)
        return tree.body

    def _assemble(self, body: list[ast.stmt], text: str, name: str) -> Code:
        future = self._future | _features(body)
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | future
        last = body[-1]
        parts: list[CodeType] = []
        head = body[:-1] if isinstance(last, ast.Expr) else body
        if head:
            module = ast.Module(head, type_ignores=[])
            parts.append(compile(module, name, "exec", flags, dont_inherit=True))
        if isinstance(last, ast.Expr):
            value = ast.Expression(last.value)
            parts.append(compile(value, name, "eval", flags, dont_inherit=True))
        else:
            nothing = ast.Expression(ast.copy_location(ast.Constant(None), last))
            parts.append(compile(nothing, name, "eval", dont_inherit=True))
        self._future = future
        self._keep(name, text)
        return Code(tuple(parts), any(part.co_flags & COROUTINE for part in parts))

    def _keep(self, name: str, text: str) -> None:
        lines = [line + "\n" for line in text.split("\n")]
        # Entries without a modification time stay: linecache.checkcache() skips them.
        linecache.cache[name] = (len(text), None, lines, name)
        self._names.append(name)
        if len(self._names) > KEPT:
            linecache.cache.pop(self._names.popleft(), None)


def unfinished(text: str) -> bool:
    """Whether a statement goes on after these lines, as far as they tell by themselves.

    A block has not ended before a blank line, as in Python's own REPL.
    """
    if len(text) > LONGEST or not any(map(says_something, text.split("\n"))):
        return False
    try:
        return Compiler().parse(text, "<typed>") is None
    except UNREADABLE:
        return False


def says_something(line: str) -> bool:
    """Whether a line is more than blanks and a comment."""
    bare = line.strip()
    return bool(bare) and not bare.startswith("#")


def _is_incomplete(error: SyntaxError) -> bool:
    return "incomplete input" in str(error.msg)


def _features(body: list[ast.stmt]) -> int:
    """Compiler flags of the ``__future__`` imports in ``body``."""
    flags = 0
    for statement in body:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            for alias in statement.names:
                feature = getattr(__future__, alias.name, None)
                flags |= getattr(feature, "compiler_flag", 0)
    return flags
