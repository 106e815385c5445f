"""The end of a program whose loop has been blocked for too long, for those who start it anew."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import select
import threading
import time
from typing import TYPE_CHECKING

from asyncconsole.serve import loading, signaled
from asyncconsole.serve.journal import log, note
from asyncconsole.serve.pace import brisk
from asyncconsole.serve.patience import within
from asyncconsole.stall import courier
from asyncconsole.stall.alarm import Alarm

if TYPE_CHECKING:
    from asyncconsole.commands.port import Target
    from asyncconsole.model import Stall
    from asyncconsole.stall import Probe

EXIT_CODE = 75
"""``EX_TEMPFAIL`` of sysexits.h: try again. Not a signal's: the first process of a container
ignores those that it sends to itself, and a core dump of a large process delays its successor."""

LOOKING = 10.0
"""Seconds for a full look at the program; then only the stacks of its threads are told."""

WRITING = 3.0
"""Seconds in which whoever reads stderr must take what is written to it."""

THREAD_NAME = "asyncconsole abort"

_PIECE = 512
"""Bytes that a pipe takes without waiting when it says that it takes any (POSIX)."""


class Abort:
    """Tells all there is to know on stderr, and ends the process.

    Args:
        seconds: For how long a loop may be blocked.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._looked = threading.Event()
        self._text = ""
        self._task: asyncio.Task[None] | None = None

    def watch(self, target: Target, probe: Probe, loop: asyncio.AbstractEventLoop) -> None:
        """From now on.

        Args:
            target: The program.
            probe: Watches it.
            loop: The side loop, on whose thread this is called.
        """

        def ring(stall: Stall) -> None:
            if self._task is None:
                self._begin(stall)
                self._task = loop.create_task(self._look(target, probe))

        probe.news.listen(Alarm(loop, probe, self._seconds, ring))

    def _begin(self, stall: Stall) -> None:
        """Start the thread that ends it, whatever comes of the rest."""
        why = f"{stall.summary}. Longest allowed: {self._seconds:g} s. Exit code: {EXIT_CODE}."
        note(log, logging.CRITICAL, "%s", why)
        words = (f"asyncconsole: {why}\n",)
        last = threading.Thread(target=self._end, args=words, name=THREAD_NAME, daemon=True)
        try:
            last.start()
        except RuntimeError:  # there is no thread to spare
            os._exit(EXIT_CODE)

    async def _look(self, target: Target, probe: Probe) -> None:
        """Have the text made, and those told who want to know of stalls."""
        try:
            with brisk():
                self._text = await within(LOOKING, _dump(target))
        except Exception as error:
            self._text = signaled.bare(f"No look at the program: {type(error).__name__}: {error}")
        finally:
            with contextlib.suppress(Exception):
                probe.stop()  # the stall ends with the process
            self._looked.set()

    def _end(self, first: str) -> None:
        """In a thread of its own: write, and exit in any case."""
        try:
            _write(first)
            self._looked.wait(LOOKING + 1)
            _write(self._text or signaled.bare("The program could not be looked at in time."))
            courier.settle()
        finally:
            os._exit(EXIT_CODE)


async def _dump(target: Target) -> str:
    await loading.load(loading.RECEPTION)
    from asyncconsole.serve import dump  # noqa: PLC0415 - has been loaded

    seen = await dump.look(target)
    made = []
    for page in dump.pages(seen):
        made.append(page)
        await asyncio.sleep(0)
    return "".join(made)


def _write(text: str) -> None:
    """Write to the process's stderr, for as long as somebody takes it.

    Not to ``sys.stderr``: the program may be stuck in it and keep its lock.
    """
    data = memoryview(text.encode("utf-8", "backslashreplace"))
    end = time.monotonic() + WRITING
    with contextlib.suppress(OSError, ValueError):
        while data and time.monotonic() < end:
            if os.name == "posix" and not select.select([], [2], [], 0.1)[1]:
                continue
            data = data[os.write(2, data[:_PIECE]) :]
