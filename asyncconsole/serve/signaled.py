"""A full dump whenever a signal comes, also while every loop is blocked.

Python runs signal handlers in the main thread, between two bytecodes or when a system call is
interrupted. Ours only wakes the side thread, which looks at the program and has the text
written by a thread of its own: stderr may be a pipe that nobody reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from asyncconsole.capture import quiet
from asyncconsole.capture.running import thread_frames
from asyncconsole.serve import discovery, loading
from asyncconsole.serve.journal import log, note
from asyncconsole.serve.pace import brisk
from asyncconsole.serve.patience import within

if TYPE_CHECKING:
    from asyncconsole.commands.port import Target

VARIABLE, FILE_VARIABLE = "ASYNCCONSOLE_DUMP_SIGNAL", "ASYNCCONSOLE_DUMP_FILE"

LONGEST = 40.0
"""Seconds for a look at the program; then only the stacks of its threads are dumped."""

WRITING = 5.0
"""Seconds in which what is written should be gone; then the side thread goes on."""

APART = 1.0
"""Seconds between the starts of two dumps; signals in between are one."""

DEEPEST = 500
"""Frames of a thread of which nothing but the stack can be had."""

THREAD_NAME = "asyncconsole dump"

_KEPT_FREE = {
    *("SIGKILL", "SIGSTOP", "SIGCONT", "SIGCHLD", "SIGINT", "SIGTERM", "SIGPIPE", "SIGTSTP"),
    *("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGSYS", "SIGTRAP", "SIGPROF"),
}
"""Signals that can't be caught, mean a crash, or end and steer the program."""


def usual() -> signal.Signals:
    """SIGUSR1; SIGBREAK (Ctrl-Break) on Windows, which has no SIGUSR1."""
    found: signal.Signals = getattr(signal, "SIGUSR1", None) or getattr(signal, "SIGBREAK")  # noqa: B009 - only there
    return found


def named(word: object) -> signal.Signals | None:
    """The signal of that name or number: ``SIGUSR1``, ``usr1``, 10; None where there is none."""
    try:
        if isinstance(word, str) and not word.strip().isdecimal():
            name = word.strip().upper()
            return signal.Signals[name if name.startswith("SIG") else f"SIG{name}"]
        return signal.Signals(int(word)) if isinstance(word, str | int) else None
    except (KeyError, ValueError):
        return None


def wanted(
    number: signal.Signals | int | str | bool | None, file: str | os.PathLike[str] | None
) -> SignalDump | None:
    """What ``start(dump_signal=…, dump_file=…)`` asks for; where it says nothing, the environment.

    Raises:
        ValueError: It asks for what can't be; the message says what to give.
    """
    if number is None and (word := os.environ.get(VARIABLE, "").strip()):
        # Whoever runs the program set it; that is no reason to take the program down.
        try:
            number = _switch(word)
            return wanted(number, file or os.environ.get(FILE_VARIABLE) or None)
        except ValueError as error:
            note(log, logging.ERROR, "%s: %s", VARIABLE, error)
            return None
    if not number:
        if file is not None and number is None:
            msg = "dump_file without dump_signal: give dump_signal=True as well."
            raise ValueError(msg)
        return None
    found = usual() if number is True else named(number)
    if found is None or found.name in _KEPT_FREE:
        msg = f"dump_signal={number!r}: give True, SIGUSR1, SIGUSR2 or SIGQUIT."
        raise ValueError(msg)
    if file is None:
        return SignalDump(found, None)
    path = os.path.abspath(file)  # noqa: PTH100 - the program may change its folder
    folder = os.path.dirname(path)  # noqa: PTH120 - as above
    if not os.path.isdir(folder):  # noqa: PTH112 - as above
        msg = f"dump_file={path!r}: there is no folder {folder}."
        raise ValueError(msg)
    return SignalDump(found, path)


def _switch(word: str) -> str | bool:
    """A word of the environment; ``1`` is no signal's number there but a switch."""
    return {"0": False, "off": False, "no": False, "1": True, "on": True, "yes": True}.get(
        word.lower(), word
    )


class SignalDump:
    """Dumps the program at a signal, for as long as a console is there.

    Args:
        number: The signal.
        path: File to append to; None for stderr.
    """

    def __init__(self, number: signal.Signals, path: str | None) -> None:
        self.number = number
        self._path = path
        self._before: Any = None
        self._handler: Callable[[int, FrameType | None], None] = self._handle
        self._loop: asyncio.AbstractEventLoop | None = None
        self._target: Target | None = None
        self._asked = False
        self._answering: asyncio.Task[None] | None = None
        self._writer: threading.Thread | None = None

    def install(self, loop: asyncio.AbstractEventLoop, target: Target) -> bool:
        """Take the signal; False, and a line in the log, where that can't or must not be.

        Args:
            loop: The side loop.
            target: The program.
        """
        why = _obstacle(self.number)
        if not why:
            self._before = signal.getsignal(self.number)
            self._loop, self._target = loop, target
            try:
                signal.signal(self.number, self._handler)
            except (ValueError, OSError) as error:
                self._loop = self._target = None
                why = str(error)
        if why:
            note(log, logging.WARNING, "no dump on %s: %s", self.number.name, why)
        return not why

    def remove(self) -> None:
        """Give the signal back to whoever had it, if it is still ours.

        Another thread than the main one can't: then the handler does it when it is called.
        """
        if self._loop is None:
            return
        self._loop = self._target = None
        self._give_back()

    def _give_back(self) -> None:
        if signal.getsignal(self.number) is self._handler:
            with contextlib.suppress(ValueError, OSError, TypeError):  # not in the main thread
                signal.signal(self.number, self._before)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        """In the main thread, between two bytecodes of the program."""
        loop = self._loop
        if loop is None:  # the console has closed, in another thread
            ours = signal.getsignal(self.number) is self._handler
            self._give_back()
            if ours and self._before is signal.SIG_DFL:
                signal.raise_signal(number)
                return
        else:
            with contextlib.suppress(RuntimeError):  # it closes just now
                loop.call_soon_threadsafe(self._ask)
        if callable(self._before):
            self._before(number, frame)

    def _ask(self) -> None:
        """On the side loop: make a dump, or another one after the one that is being made."""
        self._asked = True
        if self._answering is None or self._answering.done():
            self._answering = asyncio.ensure_future(self._answer())

    async def _answer(self) -> None:
        while self._asked:
            self._asked = False
            began = time.monotonic()
            try:
                await self._dump()
            except Exception as error:
                note(log, logging.ERROR, "no dump at %s", self.number.name, exc_info=error)
            await asyncio.sleep(max(0.0, began + APART - time.monotonic()))

    async def _dump(self) -> None:
        """One dump, from the look to the last line."""
        target = self._target
        if target is None:
            return
        if self._writer is not None and self._writer.is_alive():
            why = "the last one is still being written: nobody reads it"
            note(log, logging.WARNING, "no dump at %s: %s", self.number.name, why)
            return
        with brisk():
            try:
                text = await within(LONGEST, _text(target))
            except asyncio.TimeoutError:
                text = bare(f"The program could not be looked at within {LONGEST:g} s.")
            except Exception as error:
                text = bare(f"The program could not be looked at: {type(error).__name__}: {error}")
        over = asyncio.Event()
        loop = asyncio.get_running_loop()

        def write() -> None:
            _deliver(text, self._path)
            with contextlib.suppress(RuntimeError):  # the console has closed meanwhile
                loop.call_soon_threadsafe(over.set)

        self._writer = threading.Thread(target=write, name=THREAD_NAME, daemon=True)
        self._writer.start()
        with contextlib.suppress(asyncio.TimeoutError):
            await within(WRITING, over.wait())


def _obstacle(number: signal.Signals) -> str:
    """Why this signal can't be ours; "" when it can."""
    if threading.current_thread() is not threading.main_thread():
        return "start() was not called in the main thread, the only one that may set handlers"
    before = signal.getsignal(number)
    if before is None:
        return "something outside of Python has a handler for it"
    noop = getattr(sys.modules.get("asyncio.unix_events"), "_sighandler_noop", None)
    owner = getattr(before, "__self__", None)  # uvloop's is a method of the loop
    if (noop is not None and before is noop) or isinstance(owner, asyncio.AbstractEventLoop):
        return "the program has it by loop.add_signal_handler(); choose another signal"
    return ""


async def _text(target: Target) -> str:
    """What the side thread sees of the program."""
    await loading.load(loading.RECEPTION)  # all that commands need, as for the first client
    from asyncconsole.serve import dump  # noqa: PLC0415 - has been loaded

    made = []
    with quiet.quiet():
        for page in dump.pages(await dump.look(target)):
            made.append(page)
            quiet.check()
            await asyncio.sleep(0)
    return "".join(made)


def bare(why: str) -> str:
    """A dump that takes nothing but this module: the stacks of all threads."""
    names = {thread.ident: str(thread.name) for thread in threading.enumerate()}
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    lines = [f"== asyncconsole dump: pid {os.getpid()}, {now} ==\n"]
    lines.append(f"{why}\nThe stacks of its threads:\n")
    frames = thread_frames()
    try:
        for ident, frame in frames.items():
            name = names.get(ident, "thread")
            if not name.startswith("asyncconsole"):  # ours
                lines += [f"\n{name} ({ident})\n", *reversed(_stack(frame))]
    finally:
        frames.clear()
    return "".join([*lines, f"== end of dump of pid {os.getpid()} ==\n"])


def _stack(top: FrameType) -> list[str]:
    """A stack, innermost first; without its source, for which `traceback` imports something."""
    found: list[str] = []
    frame: FrameType | None = top
    while frame is not None and len(found) < DEEPEST:
        code = frame.f_code
        found.append(f'  File "{code.co_filename}", line {frame.f_lineno}, in {code.co_name}\n')
        frame = frame.f_back
    return found


def _deliver(text: str, path: str | None) -> None:
    """Write it where it belongs, or else to the next best place; never raises."""
    troubles = []
    ways: list[tuple[str, Callable[[str], None]]] = [("stderr", _to_stderr)]
    if path is not None:
        ways.insert(0, (path, lambda text: _append(text, path)))
    for place, write in ways:
        try:
            write(text)
        except Exception as error:  # whatever stands in for stderr
            troubles.append(f"{place}: {type(error).__name__}: {error}")
            continue
        if troubles:
            note(log, logging.ERROR, "the dump went to %s (%s)", place, "; ".join(troubles))
        return
    try:
        spare = str(discovery.prepare() / f"{os.getpid()}.dump.txt")
        _append(text, spare)
    except OSError as error:
        note(log, logging.ERROR, "a dump is lost (%s; %s)", "; ".join(troubles), error)
    else:
        note(log, logging.ERROR, "the dump went to %s (%s)", spare, "; ".join(troubles))


def _append(text: str, path: str) -> None:
    """Append to a file that only its owner may read, if it is made here."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
    with open(os.open(path, flags, 0o600), "wb", buffering=0) as file:  # noqa: PTH123 - a descriptor
        data = memoryview(text.encode("utf-8", "backslashreplace"))
        while data:
            data = data[file.write(data) :]


def _to_stderr(text: str) -> None:
    """Write to what the program takes for its stderr.

    Raises:
        Exception: It is closed, or takes nothing.
    """
    stream = sys.stderr
    if stream is None:
        msg = "there is none"
        raise ValueError(msg)
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()
