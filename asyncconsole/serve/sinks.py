"""Where stalls go besides the ring: the program's log, a function of its, a file."""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING

from asyncconsole.stall.alarm import Alarm
from asyncconsole.stall.courier import Courier

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from asyncconsole.model import Stall
    from asyncconsole.stall import Probe

    OnStall = Callable[[Stall], object]
    StallFile = str | os.PathLike[str]

VARIABLE = "ASYNCCONSOLE_STALL_LOG"
"""Names a file where the program names none."""


class Sinks:
    """Those who are to be told of stalls.

    Make it on the thread that asks for it: the side thread would stand still in an import
    while the program does.

    Args:
        log: Log stalls to ``asyncconsole.stalls``.
        on_stall: A function of the program's.
        stall_log: A file for JSON lines; None for what the variable says, if anything.

    Raises:
        ValueError: An argument is wrong; the message says what to give.
    """

    def __init__(
        self,
        *,
        log: bool,
        on_stall: OnStall | None = None,
        stall_log: StallFile | None = None,
    ) -> None:
        self._log: Courier | None = None
        self._others: list[Courier] = []
        if on_stall is not None:
            if not callable(on_stall) or inspect.iscoroutinefunction(on_stall):
                msg = f"on_stall={on_stall!r}: give a plain function that takes a Stall, or None."
                raise ValueError(msg)
            self._others.append(Courier(on_stall, "on_stall"))
        stall_log = stall_log or os.environ.get(VARIABLE) or None
        if stall_log is not None:
            if not isinstance(stall_log, str | os.PathLike):
                msg = f"stall_log={stall_log!r}: give the path of a file, or None."
                raise ValueError(msg)
            from asyncconsole.stall.lines import StallLines  # noqa: PLC0415 - only when used

            self._others.append(Courier(StallLines(stall_log), "stall_log"))
        if log:
            from asyncconsole.stall.log import StallLog  # noqa: PLC0415 - only when used

            self._log = Courier(StallLog(), "the log of stalls")

    def attach(self, probe: Probe, loop: asyncio.AbstractEventLoop) -> None:
        """Tell them what that probe finds. Call it on the side thread, whose loop that is."""
        if self._log is not None:
            from asyncconsole.stall.log import REST  # noqa: PLC0415 - has been loaded

            probe.news.listen(self._log, self._log.finish)
            probe.news.listen(Alarm(loop, probe, REST, self._log))
        for courier in self._others:
            probe.news.listen(courier, courier.finish)
