"""Shooting at a statement at every bytecode of `Window`, from another thread.

``python -m tests.repl.duel`` prints, for each of two explorations, the points tried, the
statements that were hit, and the shots that went astray. Standard library only.
"""

from __future__ import annotations

import asyncio.exceptions  # noqa: F401 - nothing is imported while a trace function runs
import ctypes  # noqa: F401 - the same
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from asyncconsole.repl import window as module
from asyncconsole.repl.window import Interrupted, Window

MOST = 2000
PAUSE = 0.003


def statement() -> None:
    """What is to be interrupted."""
    for _ in range(30):
        pass


def program() -> None:
    """What must never be: somebody else's code in the same thread."""
    for _ in range(300):
        pass


def at_opcode(wanted: int, action: Callable[[], None]) -> tuple[Any, list[int]]:
    """A trace function that calls ``action`` before opcode ``wanted`` of window.py."""
    seen = [0]

    def trace(frame: Any, event: str, _argument: Any) -> Any:
        if frame.f_code.co_filename != module.__file__:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            seen[0] += 1
            if seen[0] == wanted:
                action()
        return trace

    return trace, seen


def shot_at_every_opcode() -> tuple[int, int, int]:
    """Shoot while the thread is about to execute each opcode between open and shut."""
    hits = strays = 0
    sys._getframe().f_trace_opcodes = True  # without it 3.12 tells of no opcode of any frame
    for point in range(1, MOST):
        window = Window()

        def shoot(window: Window = window) -> None:
            shooter = threading.Thread(target=window.shoot)
            shooter.start()
            shooter.join()

        trace, seen = at_opcode(point, shoot)
        try:
            try:
                sys.settrace(trace)
                try:
                    window.run(statement)
                finally:
                    sys.settrace(None)
            except Interrupted:
                hits += 1
            program()
        except Interrupted:
            strays += 1
        assert window.thread is None
        assert not window.pending
        if seen[0] < point:
            return point, hits, strays
    raise AssertionError("there is no end of opcodes")


def shooter_paused_at_every_opcode() -> tuple[int, int, int]:
    """Let the thread go on while the shooter stands still at each opcode of its shot."""
    hits = strays = 0
    for point in range(1, MOST):
        window = Window()
        started, paused, ended = threading.Event(), threading.Event(), threading.Event()

        def pause(paused: threading.Event = paused, ended: threading.Event = ended) -> None:
            paused.set()
            ended.wait(PAUSE)

        trace, seen = at_opcode(point, pause)

        def shoot(
            window: Window = window,
            trace: Any = trace,
            started: threading.Event = started,
            paused: threading.Event = paused,
        ) -> None:
            started.wait()
            sys._getframe().f_trace_opcodes = True
            sys.settrace(trace)
            window.shoot()
            sys.settrace(None)
            paused.set()

        def brief(started: threading.Event = started, paused: threading.Event = paused) -> None:
            started.set()
            paused.wait()

        shooter = threading.Thread(target=shoot)
        shooter.start()
        try:
            try:
                window.run(brief)
            except Interrupted:
                hits += 1
            program()
            ended.set()
            while shooter.is_alive():
                time.sleep(0)
            program()
        except Interrupted:
            strays += 1
        shooter.join()
        assert not window.pending
        if seen[0] < point:
            return point, hits, strays
    raise AssertionError("there is no end of opcodes")


if __name__ == "__main__":
    print(*shot_at_every_opcode(), *shooter_paused_at_every_opcode())
