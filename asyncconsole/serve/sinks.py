"""Where stalls go besides the ring: the program's log, a function of its, a file, its end."""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING

from asyncconsole.stall.alarm import Alarm
from asyncconsole.stall.courier import Courier

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from asyncconsole.commands.port import Target
    from asyncconsole.model import Stall
    from asyncconsole.serve.abort import Abort
    from asyncconsole.stall import Probe

    OnStall = Callable[[Stall], object]
    StallFile = str | os.PathLike[str]

VARIABLE = "ASYNCCONSOLE_STALL_LOG"
"""Names a file for the console where the program names none."""


class Sinks:
    """Those who are to be told of stalls.

    Make it on the thread that asks for it: the side thread would stand still in an import
    while the program does.

    Args:
        log: Log stalls to ``asyncconsole.stalls``.
        on_stall: A function of the program's.
        stall_log: A file for JSON lines.
        abort_after: Seconds of a stall after which the process is ended.

    Raises:
        ValueError: An argument is wrong; the message says what to give.
    """

    def __init__(
        self,
        *,
        log: bool,
        on_stall: OnStall | None = None,
        stall_log: StallFile | None = None,
        abort_after: float | None = None,
    ) -> None:
        self._log: Courier | None = None
        self._others: list[Courier] = []
        if on_stall is not None:
            if not callable(on_stall) or inspect.iscoroutinefunction(on_stall):
                msg = f"on_stall={on_stall!r}: give a plain function that takes a Stall, or None."
                raise ValueError(msg)
            self._others.append(Courier(on_stall, "on_stall"))
        if stall_log is not None:
            if not isinstance(stall_log, str | os.PathLike):
                msg = f"stall_log={stall_log!r}: give the path of a file, or None."
                raise ValueError(msg)
            from asyncconsole.stall.lines import StallLines  # noqa: PLC0415 - only when used

            self._others.append(Courier(StallLines(stall_log), "stall_log"))
        self._abort: Abort | None = None
        if abort_after is not None:
            if not 0 < abort_after < float("inf"):
                msg = f"abort_after={abort_after!r}: give seconds, more than 0, or None."
                raise ValueError(msg)
            from asyncconsole.serve.abort import Abort  # noqa: PLC0415 - only when used

            self._abort = Abort(abort_after)
        if log:
            from asyncconsole.stall.log import StallLog  # noqa: PLC0415 - only when used

            self._log = Courier(StallLog(), "the log of stalls")

    def attach(
        self, probe: Probe, loop: asyncio.AbstractEventLoop, target: Target | None = None
    ) -> None:
        """Tell them what that probe finds. Call it on the side thread.

        Args:
            probe: Watches the program.
            loop: The side loop.
            target: The program, where it is to be ended.
        """
        if self._log is not None:
            from asyncconsole.stall.log import REST  # noqa: PLC0415 - has been loaded

            probe.news.listen(self._log, self._log.finish)
            probe.news.listen(Alarm(loop, probe, REST, self._log))
        for courier in self._others:
            probe.news.listen(courier, courier.finish)
        if self._abort is not None and target is not None:
            self._abort.watch(target, probe, loop)


def wanted_sinks(
    stall_threshold: float | None,
    on_stall: OnStall | None,
    stall_log: StallFile | None,
    abort_after: float | None,
) -> Sinks:
    """What the arguments of `start` ask for. Who gives a threshold wants a log, too.

    Raises:
        ValueError: One is wrong; the message says what to give.
    """
    if stall_threshold is not None and not 0 <= stall_threshold < float("inf"):
        msg = f"stall_threshold={stall_threshold!r}: give seconds, 0 for no probe, or None."
        raise ValueError(msg)
    if abort_after is not None and stall_threshold == 0:
        msg = f"abort_after={abort_after!r} needs the probe, which stall_threshold=0 turns off."
        raise ValueError(msg)
    return Sinks(
        log=bool(stall_threshold),
        on_stall=on_stall,
        stall_log=stall_log or os.environ.get(VARIABLE) or None,
        abort_after=abort_after,
    )
