"""The last tasks that ended, as text: no task, result or exception is kept alive."""

from __future__ import annotations

import builtins
import sys
import time
import types
import weakref
from asyncio import runners as _runners
from collections import deque
from collections.abc import Callable
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.code import is_own
from asyncconsole.capture.objects import attribute, type_name
from asyncconsole.capture.records import Site
from asyncconsole.model.ended import Outcome

MOST = 1000
"""Tasks remembered."""

LONGEST = 200
"""Characters of a result or a message."""

MOST_CANCELLERS = 1000
"""Tasks cancelled through the console that may not have ended yet."""

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
            coroutine = task.get_coro()
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
            self.raised = _raised(error)


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


class Ring:
    """The last `MOST` ended tasks.

    Args:
        known: Gives the id that a live task already has, or 0.
        ours: Says whether a loop is the console's own.
        most: How many are kept.
    """

    def __init__(
        self, known: Callable[[Any], int], ours: Callable[[Any], bool], most: int = MOST
    ) -> None:
        self._known = known
        self._ours = ours
        self._loop: weakref.ref[Any] | None = None
        self._ends: deque[End] = deque(maxlen=most)
        self._cancellers: dict[weakref.ref[Any], str] = {}
        self.seen = 0

    def add(self, task: Any, record: Any, *, exact: bool = True) -> None:
        """Remember a task that has ended; ``exact`` when it has just.

        Runs in its loop's thread.
        """
        loop = futures.loop(task)
        if self._loop is None or self._loop() is not loop:
            if self._ours(loop):
                return
            self._loop = weakref.ref(loop)  # the same one as last time, mostly
        end = End(task, self._known(task), record, exact=exact)
        if self._cancellers:
            by = self._cancellers.pop(end.token, "")
            if by and end.outcome == "cancelled":
                end.cancelled_by = by
        self.seen += 1
        self._ends.append(end)

    def forget(self, count: int) -> None:
        """Tasks have ended that are not remembered."""
        self.seen += count

    def view(self, task: Any, number: int, record: Any) -> End | None:
        """A task that has ended and is not remembered yet, as it will be; None for ours."""
        if self._ours(futures.loop(task)):
            return None
        end = End(task, number, record, exact=False)
        by = self._cancellers.get(end.token, "")
        if by and end.outcome == "cancelled":
            end.cancelled_by = by
        return end

    def note_cancel(self, task: Any, by: str) -> None:
        """Remember who asks a task to cancel."""
        if len(self._cancellers) >= MOST_CANCELLERS:
            self._cancellers.clear()
        self._cancellers[weakref.ref(task)] = by

    def ends(self) -> list[End]:
        """What is remembered, oldest first."""
        return list(self._ends)

    @property
    def dropped(self) -> int:
        """How many were forgotten to make room."""
        return max(0, self.seen - len(self._ends))

    def clear(self) -> None:
        """Forget all."""
        self._ends.clear()
        self._cancellers.clear()
        self.seen = 0


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


def _raised(error: BaseException) -> Site | None:
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
