"""What the program's own functions do with primitives, read from their code.

Not what they did: it tells who could ever set an event or put into a queue.
"""

from __future__ import annotations

import dis
import gc
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from asyncconsole.capture.code import is_own, short
from asyncconsole.model.autopsy import Routine

if TYPE_CHECKING:
    from asyncconsole.capture.program import Program

METHODS = frozenset(
    {
        *("set", "wait", "set_result", "set_exception", "cancel", "call_soon_threadsafe"),
        *("get", "get_nowait", "put", "put_nowait", "task_done", "join", "shutdown"),
        *("notify", "notify_all", "acquire", "release", "abort", "reset", "send", "receive"),
    }
)
"""What people call on futures and primitives."""

MOST = 20_000
"""Functions that are told of."""

_ROWS = 500


class _Routines:
    """The program's functions."""

    name = "routines"

    def tell(self, program: Program) -> Iterator[Any]:
        """Read the code, in the frozen copy.

        Yields:
            Lists of ``[file, line, function, [[owner, method, line]...], [called name...]]``.
        """
        codes = _codes()
        names = {code.co_name for code in codes}
        rows: list[Any] = []
        for code in codes:
            used, called = read(code)
            known = sorted(called & names)
            if used or known:
                function = short(getattr(code, "co_qualname", code.co_name))
                rows.append([code.co_filename, code.co_firstlineno, function, used, known])
                if len(rows) == _ROWS:
                    yield rows
                    rows = []
        yield rows

    def read(self, values: list[Any]) -> dict[str, Any]:
        """The model's view of it."""
        return {
            "routines": tuple(
                Routine(
                    file,
                    line,
                    function,
                    tuple((owner, method, at) for owner, method, at in used),
                    tuple(called),
                )
                for rows in values
                for file, line, function, used, called in rows
            )
        }


SCAN = _Routines()


def _codes() -> list[types.CodeType]:
    """Code of the program's own functions, with what is defined inside of them."""
    found: dict[int, types.CodeType] = {}
    todo = [
        thing.__code__
        for thing in gc.get_objects()
        if type(thing) is types.FunctionType and is_own(thing.__code__.co_filename)
    ]
    while todo and len(found) < MOST:
        code = todo.pop()
        if id(code) not in found:
            found[id(code)] = code
            todo += [item for item in code.co_consts if type(item) is types.CodeType]
    return list(found.values())


def read(
    code: types.CodeType, ahead: frozenset[int] | None = None
) -> tuple[list[tuple[str, str, int]], set[str]]:
    """What one function calls on primitives, and the names it calls or hands on.

    Args:
        code: The function's.
        ahead: Offsets of the instructions that count; None for all. Of what it has called
            already no more is to be expected, but for what it keeps: what it has entered,
            goes over, or has stored.

    Returns:
        ``(owner, method, line)`` of each use, the owner being the last name before the method
        (``jobs`` in ``self.jobs.put()``, "" for what a call gave), and names.
    """
    used: list[tuple[str, str, int]] = []
    called: set[str] = set()
    past: dict[int, _Past] = {}
    owner = before = ""
    line = code.co_firstlineno
    for step in dis.get_instructions(code):
        line = _line(step, line)
        name = step.opname
        counts = ahead is None or step.offset in ahead
        here = past.setdefault(line, _Past())
        here.note(name, step.argval)
        names = called if counts or not _is_called(step) else here.called
        if name.startswith(("LOAD_ATTR", "LOAD_METHOD")):
            method = str(step.argval)
            names.add(method)
            if method in METHODS and counts:
                used.append((owner, method, line))
            before, owner = owner, method
        elif name.startswith(("LOAD_FAST", "LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF")):
            value = step.argval
            both = value if type(value) is tuple else (owner, value)
            before, owner = str(both[-2]), str(both[-1])
            names.add(owner)
        elif name == "LOAD_CONST" and type(step.argval) is types.CodeType:
            if counts or step.argval.co_name not in _AT_ONCE:
                called.add(step.argval.co_name)
        elif name.startswith("BINARY_SUBSCR") or (name == "BINARY_OP" and step.argrepr == "[]"):
            owner = before
        elif name.startswith("CALL"):
            owner = ""
    for one in past.values():
        if one.enters or (one.keeps and not one.starts):
            called |= one.called
    return used, called


_AT_ONCE = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>"})
_TASKS = frozenset({"create_task", "ensure_future", "start_soon"})


class _Past:
    """What a line that has been passed has called.

    Attributes:
        called: Names.
        keeps: It has stored something.
        starts: It has awaited something, or made a task of it.
        enters: It has entered a context manager, or goes over something.
    """

    __slots__ = ("called", "enters", "keeps", "starts")

    def __init__(self) -> None:
        self.called: set[str] = set()
        self.keeps = self.starts = self.enters = False

    def note(self, name: str, value: Any) -> None:
        """One more instruction of the line, and its argument."""
        self.keeps |= name.startswith("STORE_")
        self.starts |= name == "GET_AWAITABLE" or (type(value) is str and value in _TASKS)
        self.enters |= "WITH" in name or name in {"GET_AITER", "GET_ITER", "LOAD_SPECIAL"}


def _is_called(step: Any) -> bool:
    """True when an instruction loads what the next call calls, and nobody else gets it."""
    return step.opname.startswith("LOAD_METHOD") or "NULL" in step.argrepr


def _line(step: Any, line: int) -> int:
    """The line of an instruction; that of the one before where it has none."""
    found = step.line_number if hasattr(step, "line_number") else step.starts_line
    return found if type(found) is int else line
