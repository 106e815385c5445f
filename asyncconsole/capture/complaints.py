"""What asyncio's own log tells of tasks that nobody can look at any more.

A task whose exception nobody read, or that was destroyed while it was pending, is gone when
asyncio complains of it. A filter on the logger ``asyncio`` that lets everything pass hears
that. It changes neither the logger's handlers nor where its messages go. A program that has
an exception handler of its own in its loop gets the complaint there, and we do not.
"""

from __future__ import annotations

import logging
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from asyncconsole.capture.code import is_own
from asyncconsole.capture.endings import raised, told
from asyncconsole.capture.records import frame_at
from asyncconsole.model import Frame
from asyncconsole.model.ended import Ended
from asyncconsole.model.instant import stamp

MOST = 500
"""Complaints that are remembered."""

LONGEST = 2_000
"""Characters of one."""

NEVER_READ = "Task exception was never retrieved"
DESTROYED = "Task was destroyed but it is pending!"

# Of `base_tasks._task_repr` and `base_futures`, CPython 3.10 to 3.15.
_NAME = re.compile(r"name=('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")")
_CORO = re.compile(r"coro=<(\S+?)\(\)")
_SPOT = re.compile(r"(?:running at|defined at) (.+?):(\d+)>")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One message.

    Attributes:
        at: Wall clock.
        text: Its first lines.
        exception: Type and message of the exception, or "".
        raised: Where that was raised.
    """

    at: float
    text: str
    exception: str
    raised: Frame | None


class Complaints(logging.Filter):
    """Hears what asyncio logs.

    Args:
        fresh: Gives a number for a task that never had one.
    """

    def __init__(self, fresh: Callable[[], int]) -> None:
        super().__init__()
        self._fresh = fresh
        self._ring: deque[Complaint] = deque(maxlen=MOST)
        self._made: dict[int, tuple[Complaint, Ended]] = {}

    def install(self) -> None:
        """Begin to hear."""
        logging.getLogger("asyncio").addFilter(self)
        _installed.append(self)

    def remove(self) -> None:
        """Hear no more, and forget."""
        logging.getLogger("asyncio").removeFilter(self)
        if self in _installed:
            _installed.remove(self)
        self._ring.clear()
        self._made.clear()

    def filter(self, record: Any) -> bool:
        """Note what is of interest; every record passes.

        Runs in whatever thread lets go of a task, maybe inside the garbage collector.
        """
        try:
            text = record.msg
            if type(text) is str and not record.args and text.startswith((NEVER_READ, DESTROYED)):
                error = record.exc_info[1] if type(record.exc_info) is tuple else None
                site = raised(error) if error is not None else None
                self._ring.append(
                    Complaint(
                        time.time(),
                        text[:LONGEST],
                        told(error) if error is not None else "",
                        frame_at(site) if site is not None else None,
                    )
                )
        except Exception:  # noqa: S110 - a guest in somebody's log says nothing there
            pass
        return True

    def ended(self) -> list[Ended]:
        """The tasks that were complained of, oldest first."""
        found = []
        for complaint in list(self._ring):
            known = self._made.get(id(complaint))
            if known is None or known[0] is not complaint:
                if len(self._made) > 2 * MOST:
                    self._made.clear()
                known = self._made[id(complaint)] = complaint, self._read(complaint)
            found.append(known[1])
        return found

    def _read(self, complaint: Complaint) -> Ended:
        """What a complaint says of its task."""
        text = complaint.text
        name = _NAME.search(text)
        coro = _CORO.search(text)
        pending = text.startswith(DESTROYED)
        spot = complaint.raised
        where = _SPOT.search(text) if pending else None
        function = coro.group(1).rpartition("<locals>.")[2] if coro else "?"
        if where is not None:
            spot = Frame(where.group(1), int(where.group(2)), function, is_own(where.group(1)))
        return Ended(
            id=self._fresh(),
            name=_literal(name.group(1)) if name else "?",
            coro=function,
            outcome="destroyed" if pending else "raised",
            result="",
            exception=complaint.exception,
            cancelled_by="",
            created=None,
            ended=stamp(complaint.at),
            lasted=None,
            raised=spot,
            exact=not pending,
        )


def _literal(text: str) -> str:
    """The text that such a ``repr`` stands for."""
    import ast  # noqa: PLC0415 - only for somebody who looks

    try:
        found = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text[1:-1]
    return found if type(found) is str else text


_installed: list[Complaints] = []


def forked() -> None:
    """In a forked child, which has no console: nothing is heard."""
    for each in _installed:
        each.remove()
