"""The command line as a child process, in a world of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from asyncconsole.serve import discovery
from tests.interpreters import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-W", "error", "-m", "asyncconsole"]


def environment(runtime: Path, **more: str) -> dict[str, str]:
    """Variables for a client that sees only the consoles recorded under ``runtime``."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"NO_COLOR", "COLUMNS", "ASYNCCONSOLE_TOKEN"}
    }
    return {
        **kept,
        "PYTHONPATH": str(CHECKOUT),
        "XDG_RUNTIME_DIR": str(runtime),
        "XDG_STATE_HOME": str(runtime / "state"),
        "TMPDIR": str(runtime),
        "TERM": "xterm",
        **more,
    }


def client(
    runtime: Path, *words: str, stdin: str | None = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """Run one subcommand to its end; ``more`` are environment variables."""
    return subprocess.run(
        [*COMMAND, *words],
        env=environment(runtime, **more),
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


PORT_NEWS = re.compile(r"(?m)^port \d+ is taken; .*\n")
"""The console's log line when somebody else on this machine has the default port."""


def announcement(child: subprocess.Popen[str]) -> str:
    """The line of `run` that says where the console is."""
    assert child.stderr is not None
    line = child.stderr.readline()
    return child.stderr.readline() if PORT_NEWS.match(line) else line


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one line on stderr."""
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("asyncconsole: "), done.stderr
    return done.stderr[len("asyncconsole: ") : -1]


def record(runtime: Path, pid: int, **facts: Any) -> None:
    """Leave word of a console, as a console would."""
    folder = runtime / "asyncconsole"
    folder.mkdir(mode=0o700, exist_ok=True)
    whole: dict[str, Any] = {
        "pid": pid,
        "started": 0,
        "argv": ("python", "bank.py"),
        "cwd": "/",
        "host": "127.0.0.1",
        "port": None,
        "socket": None,
        "version": "0",
        "at": "2026-01-01T00:00:00Z",
        **facts,
    }
    discovery.write(folder, discovery.Record(**whole))


def document(done: subprocess.CompletedProcess[str]) -> Any:
    """What ``--json`` printed."""
    assert done.stderr == ""
    return json.loads(done.stdout)
