"""The line of Python that a process is in, read from outside by py-spy where that is installed.

Only ``--nonblocking``: without it py-spy stops the process by ptrace while it reads, which lets
system calls of the program fail with EINTR, and leaves it stopped for good when py-spy is killed
at the wrong moment. What is read of a running program this way may be torn, so it is asked only
where C code holds the GIL, and no frame of Python moves.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from asyncconsole.client.outside.sight import CONSOLE, Spot

INSTALL = "`pip install 'asyncconsole[guard]'` (py-spy) names the line"

_LIBRARY = re.compile(r"[/\\](?:site|dist)-packages[/\\]|[/\\]lib(?:64)?[/\\]python3\.\d+[/\\]|^<")
_REFUSED = re.compile(r"permission denied|not permitted|os error 1\b|os error 13\b", re.IGNORECASE)

Dump = list[dict[str, Any]]


class SpyError(Exception):
    """Nothing could be read; says why in a sentence."""


def find() -> str | None:
    """Where py-spy is: beside this interpreter, or on PATH."""
    beside = Path(sys.executable).parent / "py-spy"
    return str(beside) if os.access(beside, os.X_OK) else shutil.which("py-spy")


def spot(pid: int, thread: int, seconds: float) -> Spot | None:
    """The line that keeps a process whose GIL is held; None when that can't be made out.

    Args:
        pid: The process.
        thread: Native id of the thread in question; 0 for whoever has the GIL.
        seconds: Time there is: a large binary takes a while to be understood.

    Raises:
        SpyError: It can't be told.
    """
    path = find()
    if path is None:
        raise SpyError(INSTALL)
    return None if seconds <= 0 else _culprit(_dump(path, pid, seconds), thread)


def _dump(path: str, pid: int, seconds: float) -> Dump:
    """The stacks of all threads.

    Raises:
        SpyError: py-spy failed, or took too long.
    """
    words = [path, "dump", "--nonblocking", "--json", "--pid", str(pid)]
    try:
        done = subprocess.run(  # noqa: S603 - a program found above, and a number
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        msg = f"py-spy did not name the line within {seconds:.1f} s"
        raise SpyError(msg) from None
    except OSError as error:
        msg = f"py-spy can't be run: {error.strerror or error}"
        raise SpyError(msg) from None
    try:
        found = json.loads(done.stdout)
    except ValueError:
        found = None
    if done.returncode or not isinstance(found, list):
        raise SpyError(_reason(done.stderr))
    return [one for one in found if isinstance(one, dict)]


def _reason(complaint: str) -> str:
    """What py-spy's complaint means."""
    if not _REFUSED.search(complaint):
        lines = complaint.strip().splitlines()
        return f"py-spy failed: {lines[0][:200] if lines else 'without a word'}"
    try:
        scope = Path("/proc/sys/kernel/yama/ptrace_scope").read_text(encoding="ascii").strip()
    except OSError:
        scope = ""
    yama = f" (kernel.yama.ptrace_scope is {scope})" if scope not in {"", "0"} else ""
    return (
        f"py-spy may not read its memory{yama}: run this as root or with the capability "
        "SYS_PTRACE (`--cap-add SYS_PTRACE` for a container) and it names the line"
    )


def _culprit(dump: Dump, thread: int) -> Spot | None:
    """The program's own innermost frame in the thread that has the GIL."""
    owners = [one for one in dump if one.get("owns_gil")]
    if not owners:
        owners = [one for one in dump if thread and one.get("os_thread_id") == thread]
    if len(owners) != 1 or owners[0].get("thread_name") == CONSOLE:
        return None
    frames = [_spot(frame) for frame in owners[0].get("frames") or () if isinstance(frame, dict)]
    own = (frame for frame in frames if not _LIBRARY.search(frame.file))
    return next(own, frames[0] if frames else None)


def _spot(frame: dict[str, Any]) -> Spot:
    line = frame.get("line")
    return Spot(
        str(frame.get("filename") or "?"),
        line if isinstance(line, int) else 0,
        str(frame.get("name") or "?"),
    )
