"""Programs that tests run as child processes, and the command that asks those with a console."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.interpreters import CHECKOUT

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONIOENCODING": "utf-8"}
"""Variables with which every child finds the package of this checkout."""


def run(
    python: str, *words: str | Path, quiet: bool = True, timeout: float = 110
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with warnings as errors; it must end with 0.

    Skips the test where the program needs uvloop and its interpreter has none.

    Args:
        python: The interpreter.
        words: A file, ``-m MODULE`` or ``-c SOURCE``, and arguments.
        quiet: Whether it must write nothing to stderr.
        timeout: Seconds that it gets.
    """
    done = subprocess.run(
        [python, "-W", "error", *words],
        cwd=CHECKOUT,
        env=ENVIRONMENT,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
    if done.returncode and "No module named 'uvloop'" in done.stderr:
        pytest.skip("uvloop is not installed for this interpreter")
    assert done.returncode == 0, (done.returncode, done.stderr)
    assert not (quiet and done.stderr), done.stderr
    return done


def tell(python: str, *words: str | Path, quiet: bool = True, timeout: float = 110) -> Any:
    """What a program prints, as JSON; arguments as of `run`."""
    return json.loads(run(python, *words, quiet=quiet, timeout=timeout).stdout)


def connect(
    port: int | str, *commands: str, options: tuple[str, ...] = (), timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Ask a console on this machine by ``asyncconsole connect -c``, whatever comes of it."""
    words = [word for command in commands for word in ("-c", command)]
    return subprocess.run(
        [sys.executable, "-m", "asyncconsole", "connect", f"127.0.0.1:{port}", *words, *options],
        env=ENVIRONMENT,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
