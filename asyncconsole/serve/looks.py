"""Looks that several clients share: who watches the same gets the same answer."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Hashable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from asyncconsole.commands import dispatch, filters
from asyncconsole.commands.live import Manner, Seen
from asyncconsole.commands.port import Scope, Target
from asyncconsole.model import ConsoleError, DeadlineError, Result, Snapshot
from asyncconsole.render import flow, show
from asyncconsole.render.width import clean
from asyncconsole.serve.journal import log, note
from asyncconsole.serve.pace import brisk
from asyncconsole.serve.patience import forget, within

T = TypeVar("T")

MOST = 16 * 1024 * 1024
"""Characters of an answer that is watched."""

_READING = 30.0
"""Seconds for a snapshot."""


@dataclass(slots=True)
class _Look(Generic[T]):
    """One look, and who waits for it."""

    task: asyncio.Future[T]
    began: float
    waiting: int = 0


class SharedLooks:
    """Looks at a target for all clients; see `asyncconsole.commands.live.Looks`.

    Args:
        target: The program.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._looks: dict[Hashable, _Look[Any]] = {}

    async def answer(self, line: str, fresh: float, manner: Manner) -> Seen:
        """See `Looks.answer`."""
        return await self._shared((line, manner), fresh, lambda: self._answer(line, manner))

    async def snapshot(self, scope: Scope, fresh: float) -> Snapshot:
        """See `Looks.snapshot`."""

        async def read() -> Snapshot:
            try:
                with brisk():
                    return await within(_READING, self._target.snapshot(scope))
            except asyncio.TimeoutError:
                msg = f"the program could not be read within {_READING:g} s"
                raise DeadlineError(msg) from None

        return await self._shared(scope, fresh, read)

    async def _shared(self, key: Hashable, fresh: float, work: Callable[[], Awaitable[T]]) -> T:
        """What somebody else has found, finds now, or ``work`` does."""
        loop = asyncio.get_running_loop()
        look: _Look[T] | None = self._looks.get(key)
        if look is None or (look.task.done() and loop.time() - look.began > fresh):
            look = self._looks[key] = _Look(asyncio.ensure_future(work()), loop.time())
            look.task.add_done_callback(forget)
        look.waiting += 1
        try:
            await asyncio.wait({look.task})
            return look.task.result()
        finally:
            look.waiting -= 1
            if not look.waiting and not look.task.done():
                look.task.cancel()
                self._drop(key, look)
            elif not look.waiting:  # kept for who comes a little later; it may be large
                loop.call_later(fresh, self._drop, key, look)

    def _drop(self, key: Hashable, look: _Look[Any]) -> None:
        if self._looks.get(key) is look and not look.waiting:
            del self._looks[key]

    async def _answer(self, line: str, manner: Manner) -> Seen:
        """Run a command within its deadline; every error becomes part of the answer."""
        began = time.thread_time()
        try:
            call = dispatch.parse(line)
            if call is None:
                return Seen()
            wait = getattr(call.options, "wait", None)
            limit = call.command.deadline + (wait if isinstance(wait, int | float) else 0.0)
            if manner.limit is not None:
                limit = manner.limit
            call.options.within = limit
            call.options.person = manner.person and not call.filters
            some = manner.rows is not None and not call.filters
            if some and getattr(call.options, "limit", 0) is None:
                call.options.limit = manner.rows
            try:
                with brisk():
                    text, code = await within(limit, self._run(call, manner))
            except asyncio.TimeoutError:
                worked = time.thread_time() - began
                raise DeadlineError(late(call.command.name, limit, self._target, worked)) from None
        except ConsoleError as error:
            said = clean(" ".join(str(error).split()))
            return Seen("", said, error.exit_code, time.thread_time() - began)
        except Exception as error:
            note(log, logging.ERROR, "`%s` failed", line[:200], exc_info=error)
            said = f"That is a defect of asyncconsole: {type(error).__name__}: {str(error)[:200]}"
            return Seen("", clean(said), 1, time.thread_time() - began)
        return Seen(text, "", code, time.thread_time() - began)

    async def _run(self, call: dispatch.Call, manner: Manner) -> tuple[str, int]:
        """The whole answer as text, and its exit code."""
        result: Result = await call.command.run(self._target, call.options)
        if result.stream is not None:
            msg = f"`{call.command.name}` is too long to be watched."
            raise ConsoleError(msg)
        if call.filters:
            result = await filters.applied(result, call.filters)
        if result.flow is None:
            text = show(result, json=manner.json, width=manner.width, colour=manner.colour)
            return text, result.exit_code
        pieces: list[str] = []
        size = 0
        drawn = flow(result.flow, json=manner.json, width=manner.width, colour=manner.colour)
        async with aclosing(result.flow.parts), aclosing(drawn):  # type: ignore[type-var]  # both are generators
            async for piece in drawn:
                pieces.append(piece)
                size += len(piece)
                if size > MOST:
                    msg = f"`{call.command.name}` is too long to be watched; try it with --limit."
                    raise ConsoleError(msg)
        return "".join(pieces), result.exit_code


def late(name: str, limit: float, target: Target, worked: float) -> str:
    """One line: which command, how long, and why.

    Args:
        name: The command.
        limit: Seconds it had.
        target: The program.
        worked: Seconds of them for which the console's thread had a CPU.
    """
    blocked = [stall for stall in target.stalls() if stall.ongoing]
    if blocked:
        worst = max(blocked, key=lambda stall: stall.duration)
        frame = worst.frame
        place = (
            f" at {frame.file.rpartition('/')[2]}:{frame.line} {frame.function}" if frame else ""
        )
        doing = f" ({worst.call})" if worst.call else ""
        why = f"loop {worst.loop} has been blocked for {worst.duration:.1f} s{place}{doing}"
    else:
        if worked >= limit / 2:
            why = f"there is so much to read that it worked for {worked:.1f} s"
        else:
            why = f"the program or the machine let it work for {worked:.1f} s only"
        longer = max(60, math.ceil(2 * limit))
        why += f"; `asyncconsole connect --timeout {longer}` waits longer"
    return f"`{name}` was not done after {limit:g} s: {why}."
