"""Signals to the program itself: what it does at one, and sending one."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

from asyncconsole.commands.port import Reaction

LAST_WORDS = 0.3
"""Seconds for an answer to get to the client before the process ends."""

_IGNORED = {"SIGCHLD", "SIGURG", "SIGWINCH", "SIGCONT", "SIGINFO"}
_STOPPING = {"SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU"}
"""What the kernel does at signals without a handler; all others end the process: signal(7)."""


def reaction(number: int) -> Reaction:
    """What this process does at a signal, as far as Python knows."""
    name = _name(number)
    try:
        handler = signal.getsignal(number)
    except ValueError:  # SIGKILL and SIGSTOP in some versions
        handler = signal.SIG_DFL
    if handler is signal.SIG_IGN:
        return Reaction("is ignored by the program")
    if handler is None:
        return Reaction("is handled by C code of the program")
    if handler is signal.default_int_handler:
        return Reaction("raises KeyboardInterrupt in the main thread", python=True)
    if callable(handler):
        return Reaction(_calls(handler), python=True)
    if name in _IGNORED:
        return Reaction("has no handler in the program, and does nothing then")
    if name in _STOPPING:
        return Reaction("stops the process, this console too, until it gets SIGCONT", ends=True)
    return Reaction("has no handler in the program: it ends the process", ends=True)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return ""


def _calls(handler: Any) -> str:
    """What a handler is."""
    handler = getattr(handler, "func", handler)  # of a functools.partial
    code = getattr(handler, "__code__", None)
    module = getattr(handler, "__module__", None)
    if module in ("asyncio.unix_events", "uvloop.loop"):  # stand-ins of loop.add_signal_handler
        return "has a handler in the program's event loop, and runs when that does"
    if getattr(handler, "__qualname__", "") == "Runner._on_sigint":
        return "has asyncio.run() cancel the program's main task, as Ctrl-C does"
    if code is None:
        return f"calls a {type(handler).__name__} of the program in the main thread"
    file = os.path.basename(code.co_filename)  # noqa: PTH119 - pathlib would be one more import
    return f"calls {code.co_name} ({file}:{code.co_firstlineno}) in the main thread"


def send(number: int, loop: asyncio.AbstractEventLoop, *, soon: bool) -> int:
    """Send this process a signal.

    To the process, not to this thread: the kernel wakes the main thread with it, so that
    a Python handler runs at once also where that thread waits.

    Args:
        number: The signal.
        loop: The console's own.
        soon: At once, or when an answer has had time to get out.

    Returns:
        The pid.
    """
    pid = os.getpid()
    if soon:
        os.kill(pid, number)
    else:
        loop.call_later(LAST_WORDS, os.kill, pid, number)
    return pid
