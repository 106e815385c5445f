"""Loading what only clients need, when the first one comes.

The program may stand still inside an import: then importlib keeps the locks of the modules
that it is importing (none of them ours), and, while a finder looks for one, the lock of
all imports (``_find_spec`` in ``Lib/importlib/_bootstrap.py``), and we would stand still
with it. So a short-lived thread imports, not the side thread, and nobody waits long for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import sys
import threading
import time
from collections.abc import Callable
from types import ModuleType

from asyncconsole.capture.quiet import quiet
from asyncconsole.serve.pace import brisk
from asyncconsole.serve.patience import within

PATIENCE = 5.0
"""Seconds without a single new module after which a client is sent away."""

LONGEST = 30.0
"""Seconds a client waits at most, on a machine that has much else to do."""

LATE = 0.1
"""Seconds by which this thread wakes too late when the process has stood still."""

THREAD_NAME = "asyncconsole loading"

RECEPTION = "asyncconsole.serve.reception"
"""Serves clients; imports, or names in its ``prepare()``, all that commands need."""


class StuckImportError(Exception):
    """The module did not load in time; the message is one line for the client."""


class _Attempt:
    """One thread that imports one module, and those who wait for it."""

    def __init__(self, name: str) -> None:
        self.module: ModuleType | None = None
        self.error: BaseException | None = None
        self.waiting: list[Callable[[], None]] = []
        self.over = False
        self._name = name
        self.thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)

    def _run(self) -> None:
        try:
            # What is loaded stays: a collection over all of the program's objects in the
            # midst of it would find nothing, and stop the program for as long.
            with quiet():
                module = importlib.import_module(self._name)
                prepare = getattr(module, "prepare", None)
                if prepare is not None:
                    prepare()
            self.module = module
        except BaseException as error:
            self.error = error
        self.over = True
        for wake in tuple(self.waiting):
            wake()


_attempts: dict[str, _Attempt] = {}


async def load(name: str) -> ModuleType:
    """One of our modules, and what its ``prepare()`` loads if it has one.

    Call it on the side loop.

    Raises:
        StuckImportError: It did not load in time; it goes on loading.
        Exception: What its import raised.
    """
    attempt = _attempts.get(name)
    if attempt is None or attempt.error is not None:
        attempt = _Attempt(name)
        attempt.thread.start()
        _attempts[name] = attempt
    if not attempt.over:
        await _wait(attempt)
    if attempt.error is not None:
        raise attempt.error
    if attempt.module is None:
        msg = (
            "The console can't load its commands now: nothing can be imported. Probably the "
            "program stands still inside an import and keeps Python's import lock."
        )
        raise StuckImportError(msg)
    return attempt.module


async def _wait(attempt: _Attempt) -> None:
    """Until it is over, or time is."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()

    def wake() -> None:
        try:
            loop.call_soon_threadsafe(over.set)
        except RuntimeError:
            return  # the console has closed meanwhile

    attempt.waiting.append(wake)
    try:
        with brisk():
            end, known = loop.time() + LONGEST, 0
            while not attempt.over and loop.time() < end and known != len(sys.modules):
                known, due = len(sys.modules), loop.time() + PATIENCE
                with contextlib.suppress(asyncio.TimeoutError):
                    await within(PATIENCE, over.wait())
                if (late := loop.time() - due) > LATE:
                    end, known = end + late, 0  # nobody could import: C code had the GIL
    finally:
        attempt.waiting.remove(wake)


def pending() -> bool:
    """True while something loads."""
    return any(attempt.thread.is_alive() for attempt in tuple(_attempts.values()))


def settle(deadline: float) -> None:
    """Wait for what loads, until ``deadline`` (monotonic)."""
    for attempt in tuple(_attempts.values()):
        if attempt.thread is not threading.current_thread():
            attempt.thread.join(max(0.0, deadline - time.monotonic()))


def forked() -> None:
    """In a forked child: the threads that were loading are not here."""
    for name, attempt in list(_attempts.items()):
        if not attempt.over:
            del _attempts[name]
            forget_half_imports(attempt.thread.ident)


def forget_half_imports(ident: int | None) -> None:
    """In a forked child: forget modules that a thread was importing and never will.

    They stand in ``sys.modules`` half made, under a lock that nobody gives back; whoever
    imports them next would fail or hang. (importlib keeps a lock for each module that is
    being imported, and the lock its owner: ``_ModuleLock`` in CPython 3.10 to 3.15.)
    """
    locks = getattr(sys.modules.get("_frozen_importlib"), "_module_locks", None)
    if ident is None or type(locks) is not dict:
        return
    for name, reference in list(locks.items()):
        if getattr(reference(), "owner", None) == ident:
            locks.pop(name, None)
            sys.modules.pop(name, None)
