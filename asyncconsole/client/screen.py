"""The person's terminal, or the file or pipe in its place."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

from asyncconsole.render.painter import ENTER_SCREEN, LEAVE_SCREEN

PIPE_WIDTH = 1000
"""Columns told to a console when nobody looks: nothing is cut for ``grep``."""


def colour(stream: TextIO) -> bool:
    """True when escape codes may be written to ``stream``."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paints(stream: TextIO) -> bool:
    """True when the cursor can be moved about the window of ``stream``."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def height() -> int:
    """Rows of the terminal."""
    return shutil.get_terminal_size().lines


def width(stream: TextIO) -> int:
    """Columns of the terminal behind ``stream``; ``COLUMNS`` overrides it."""
    if stream.isatty() or os.environ.get("COLUMNS"):
        return shutil.get_terminal_size().columns
    return PIPE_WIDTH


def plain_text(stream: TextIO) -> None:
    """Let characters that the stream's encoding lacks become ``?`` and not an error."""
    reconfigure = getattr(stream, "reconfigure", None)  # absent on what tests put in place
    if reconfigure is not None:
        reconfigure(errors="replace")


def write(text: str) -> None:
    """Write to stdout and pass it on at once.

    Raises:
        BrokenPipeError: The reader has gone (``| head``).
    """
    sys.stdout.write(text)
    sys.stdout.flush()


_taken = False
"""True while the console has the whole window."""


def take() -> None:
    """Give the console the whole window."""
    global _taken  # noqa: PLW0603 - there is one window
    _taken = True
    write(ENTER_SCREEN)


def give_back() -> None:
    """Have the window as it was before; may be called again."""
    global _taken  # noqa: PLW0603 - as above
    if _taken:
        _taken = False
        write(LEAVE_SCREEN)


def complain(message: str) -> None:
    """One line on stderr; what came from elsewhere can't move the cursor."""
    words = " ".join(message.split())
    line = "".join(char if char.isprintable() else "?" for char in words)
    if _taken:  # over the window's first line, which is soon drawn again
        columns = shutil.get_terminal_size().columns
        write(f"\x1b7\x1b[1;1H\x1b[0m{line[: columns - 1]}\x1b[K\x1b8")
        return
    sys.stderr.write(f"asyncconsole: {line}\n")
    sys.stderr.flush()


def forget_stdout() -> None:
    """After a broken pipe: what is still buffered goes nowhere, without a traceback at exit."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, sys.stdout.fileno())
    os.close(silence)
