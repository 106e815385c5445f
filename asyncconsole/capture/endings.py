"""How a task ended, as text: no task, result or exception is kept alive."""

from __future__ import annotations

import builtins
import sys
import time
import types
import weakref
from asyncio import runners as _runners
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.code import is_own
from asyncconsole.capture.objects import attribute, type_name
from asyncconsole.capture.records import Site
from asyncconsole.model.ended import Outcome

LONGEST = 200
"""Characters of a result or a message."""

_PLAIN = (int, float, complex, bool, type(None), str, bytes)
_DEEPEST = 200  # frames of a traceback that are looked at


class End:
    """One ended task.

    Attributes:
        token: Its plain weak reference, by which others that knew it recognise it.
        number: The id that ``ps`` showed, or 0.
        name: Its name.
        coro: Its outermost coroutine.
        outcome: See `asyncconsole.model.ended.Ended`.
        result: Likewise.
        exception: Likewise.
        cancelled_by: Likewise.
        raised: Likewise, as a site.
        at: Monotonic time.
        exact: False when it ended some time before ``at``.
        record: Its creation record, if any.
    """

    __slots__ = (
        "at",
        "cancelled_by",
        "coro",
        "exact",
        "exception",
        "name",
        "number",
        "outcome",
        "raised",
        "record",
        "result",
        "token",
    )
    outcome: Outcome

    def __init__(self, task: Any, number: int, record: Any, *, exact: bool = True) -> None:
        self.exact = exact
        self.at = time.monotonic()
        self.token = weakref.ref(task)
        self.number = number
        self.record = record
        self.result = self.exception = self.cancelled_by = ""
        self.raised: Site | None = None
        if type(task) is futures.CTask:  # nothing of the program's is in the way
            self.name = task.get_name()
            coroutine = task._coro  # noqa: SLF001 - see `futures.coroutine`
            state, error, result = task._state, task._exception, task._result  # noqa: SLF001 - see below
        else:
            self.name = futures.name(task)
            coroutine = futures.coroutine(task)
            state, error = futures.state(task), attribute(task, "_exception")
            result = attribute(task, "_result")
        self.coro = getattr(coroutine, "__qualname__", None) or type_name(coroutine)
        if state == "CANCELLED":
            self.outcome = "cancelled"
            self.cancelled_by = _shutting_down() if exact else "unknown"
            return
        # Not `task.exception()`: that would count as having looked at it, and so silence
        # asyncio's "exception was never retrieved".
        if error is None:
            self.outcome = "returned"
            self.result = "None" if result is None else plain(result)
        else:
            self.outcome = "raised"
            self.exception = told(error)
            self.raised = raised(error)


def _shutting_down() -> str:
    """Who cancelled a task that ends right now, under these frames.

    What is left at the end of ``asyncio.run`` is cancelled by it; a loop that it runs
    only for that has its function above it.
    """
    frame: Any = sys._getframe()  # noqa: SLF001 - inspect is too slow here
    for _ in range(_DEEPEST):
        if frame is None:
            break
        if frame.f_code is _END:
            return "asyncio.run, at its end"
        frame = frame.f_back
    return "unknown"


_END: Any = _runners._cancel_all_tasks.__code__  # type: ignore[attr-defined]  # noqa: SLF001 - see above


def plain(value: Any) -> str:
    """A value as text; runs none of the program's ``__repr__``."""
    kind = type(value)
    if kind in (str, bytes):
        text = repr(value[:LONGEST])
        return text if len(value) <= LONGEST else f"{text}… ({len(value)} in all)"
    if kind is int and value.bit_length() > 4 * LONGEST:
        return f"<int of {value.bit_length()} bits>"  # its digits may take minutes
    if kind in _PLAIN:
        return repr(value)
    if kind in (list, tuple, dict, set, frozenset):
        return f"<{kind.__name__} of {len(value)}>"
    return f"<{type_name(value)}>"


def told(error: BaseException) -> str:
    """Type and message of an exception; runs no code of the program."""
    name = type_name(error)
    arguments = attribute(error, "args", ())
    if not _tells(error, arguments):
        return f"{name}: {len(arguments)} arguments" if arguments else name
    message = " ".join(str(error).split())
    return f"{name}: {message[:LONGEST]}" if message else name


def _tells(error: BaseException, arguments: tuple[Any, ...]) -> bool:
    """True when the message is made by C code, soon, and of plain values alone."""
    text = type(error).__str__
    if type(text) is not types.WrapperDescriptorType:
        return False
    if _GROUP is not None and text is _GROUP.__str__:
        return True  # a text and a number
    used = [*arguments]
    if isinstance(error, OSError):
        used += [attribute(error, "filename"), attribute(error, "filename2")]
    return len(used) <= _MOST_ARGUMENTS and all(_short(item) for item in used)


def _short(item: Any) -> bool:
    """True for plain values that don't take long to print."""
    kind = type(item)
    if kind in (str, bytes):
        return len(item) <= 100 * LONGEST
    if kind is int:
        return bool(item.bit_length() <= 4 * LONGEST)
    return kind in _PLAIN


_GROUP: Any = getattr(builtins, "BaseExceptionGroup", None)  # 3.11+
_MOST_ARGUMENTS = 8


def raised(error: BaseException) -> Site | None:
    """The innermost frame of the program's own code in an exception's traceback."""
    found = None
    traceback = attribute(error, "__traceback__")
    for _ in range(_DEEPEST):
        if traceback is None:
            break
        code = traceback.tb_frame.f_code
        if found is None or is_own(code.co_filename):
            found = Site(code, traceback.tb_lasti)
        traceback = traceback.tb_next
    return found
