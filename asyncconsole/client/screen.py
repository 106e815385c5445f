"""The person's terminal, or the file or pipe in its place."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

PIPE_WIDTH = 1000
"""Columns told to a console when nobody looks: nothing is cut for ``grep``."""


def colour(stream: TextIO) -> bool:
    """True when escape codes may be written to ``stream``."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


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


def complain(message: str) -> None:
    """One line on stderr; what came from elsewhere can't move the cursor."""
    words = " ".join(message.split())
    line = "".join(char if char.isprintable() else "?" for char in words)
    sys.stderr.write(f"asyncconsole: {line}\n")
    sys.stderr.flush()


def forget_stdout() -> None:
    """After a broken pipe: what is still buffered goes nowhere, without a traceback at exit."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, sys.stdout.fileno())
    os.close(silence)
