"""Ended stalls as JSON lines in a file."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncconsole.model import Stall

SCHEMA = "asyncconsole/stall/1"


class StallLines:
    """Receives stalls and writes a line for each that is over; from a `Courier`, for disks block.

    The file is opened for each line, in append mode: it may be rotated, and several
    processes may share it. A pipe that nobody reads is an error, not a wait.

    Args:
        path: Where; taken from the folder that is the current one now.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.path.abspath(os.fspath(path))  # noqa: PTH100 - pathlib is not loaded for it

    def __call__(self, stall: Stall) -> None:
        """Write a stall that is over.

        Raises:
            OSError: It could not be written.
        """
        if stall.ongoing:
            return
        document = {"schema": SCHEMA, "pid": os.getpid(), **stall.document()}
        line = json.dumps(document, allow_nan=False).encode("ascii") + b"\n"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
        file = os.open(self._path, flags, 0o666)
        try:
            # In one call, so that lines of several processes don't mix; a full disk takes a part.
            written = os.write(file, line)
            if written < len(line):
                os.write(file, line[written:])
        finally:
            os.close(file)
