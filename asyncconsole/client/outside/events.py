"""What a guard tells: one line for each event, as words or as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from asyncconsole.client import screen
from asyncconsole.model.instant import stamp

SCHEMA = "asyncconsole/guard/1"


PATIENCE = 10.0
"""Seconds for the last command to end."""


@dataclass(slots=True)
class Events:
    """Where events go: stdout, and a command if one is given.

    Attributes:
        program: The program, in a word.
        pid: Its process.
        command: Words of a command that is started at each event, which it gets as JSON on
            stdin; one at a time. What it prints goes to stderr.
        as_json: JSON lines on stdout, not words.
    """

    program: str
    pid: int
    command: list[str]
    as_json: bool
    _running: subprocess.Popen[str] | None = field(default=None, init=False)

    def tell(
        self,
        event: str,
        text: str,
        *,
        kind: str,
        seconds: float,
        frame: dict[str, Any] | None = None,
        task: str | None = None,
    ) -> None:
        """Tell one event.

        Args:
            event: ``freeze``, ``freeze_end``, ``stall``, ``stall_end``.
            text: It in words, after the program's name.
            kind: Of the silence, or of the stall.
            seconds: How long it has lasted.
            frame: ``file``, ``line``, ``function`` of the line to blame.
            task: Name of the task to blame.
        """
        document = {
            "schema": SCHEMA,
            "event": event,
            "at": stamp(time.time()),
            "pid": self.pid,
            "program": self.program,
            "kind": kind,
            "seconds": round(seconds, 3),
            "frame": frame,
            "task": task,
            "text": text,
        }
        line = json.dumps(document, ensure_ascii=False)
        words = "".join(char if char.isprintable() else "?" for char in text)
        told = f"{document['at']} {self.program} (pid {self.pid}) {words}"
        screen.write(f"{line if self.as_json else told}\n")
        if self.command:
            self._start(line)

    def close(self) -> None:
        """Wait for the command that was started last, for a while."""
        if self._running is not None:
            try:
                self._running.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                screen.complain(f"guard: {self.command[0]} still runs.")

    def _start(self, line: str) -> None:
        """Start the command; what goes wrong with it doesn't end the guard."""
        if self._running is not None and self._running.poll() is None:
            screen.complain(f"guard: {self.command[0]} still runs; it is not told of this event.")
            return
        try:
            self._running = subprocess.Popen(  # noqa: S603 - the person's own command
                self.command, stdin=subprocess.PIPE, stdout=sys.stderr, text=True, encoding="utf-8"
            )
            pipe = self._running.stdin
            if pipe is not None:
                with pipe:
                    pipe.write(line + "\n")  # far less than a pipe holds: never waits
        except OSError as error:
            screen.complain(f"guard: --exec {self.command[0]}: {error.strerror or error}")
