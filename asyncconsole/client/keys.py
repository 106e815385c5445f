"""Single keys of this terminal, and its whole window, while the console wants them."""

from __future__ import annotations

import asyncio
import codecs
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from asyncconsole.client import screen

_PIECE = 1024


class Keys:
    """Hands on what is typed, key by key; gives the terminal back however it ends.

    Args:
        typed: Takes characters.
        interrupt: Called at Ctrl-C.
        leave: Called with an exit code when the terminal has gone, or the process must end.
    """

    def __init__(
        self,
        typed: Callable[[str], None],
        interrupt: Callable[[], None],
        leave: Callable[[int], None],
    ) -> None:
        self._typed = typed
        self._interrupt = interrupt
        self._leave = leave
        self._before: list[Any] | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def __enter__(self) -> Keys:  # noqa: PYI034 - typing has no Self in Python 3.10
        return self

    def __exit__(self, *_: object) -> None:
        self._give_back(forget=True)

    def switch(self, *, on: bool, whole: bool) -> None:
        """Take keys, with the whole window or without; or give all of it back."""
        self._give_back(forget=False)
        if on:
            self._take(whole=whole)

    def _take(self, *, whole: bool) -> None:
        import termios  # noqa: PLC0415 - not on Windows

        source = sys.stdin.fileno()
        self._before = termios.tcgetattr(source)
        now = termios.tcgetattr(source)
        now[0] &= ~(termios.ICRNL | termios.IXON)
        now[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
        termios.tcsetattr(source, termios.TCSADRAIN, now)
        loop = asyncio.get_running_loop()
        loop.add_reader(source, self._read, source)
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._leave, 128 + number)
        if whole:
            screen.take()

    def _give_back(self, *, forget: bool) -> None:
        """Everything as it was before; may be called again.

        Args:
            forget: What was typed for the window that has gone is not for a shell.
        """
        if self._before is None:
            return
        import termios  # noqa: PLC0415 - as above

        source = sys.stdin.fileno()
        loop = asyncio.get_running_loop()
        loop.remove_reader(source)
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)
        before, self._before = self._before, None
        try:
            how = termios.TCSAFLUSH if forget else termios.TCSADRAIN
            termios.tcsetattr(source, how, before)
            screen.give_back()
        except (OSError, termios.error):
            return  # the terminal itself has gone

    def _read(self, source: int) -> None:
        try:
            data = os.read(source, _PIECE)
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(source)
            self._leave(128 + signal.SIGHUP)
            return
        text = self._decoder.decode(data)
        if "\x03" in text:
            self._interrupt()
            text = text.rpartition("\x03")[2]
        if text:
            self._typed(text)
