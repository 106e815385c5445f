"""Running one program of the evaluation, and asking its console what is wrong with it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import tempfile
import threading
import time
from typing import Any

from asyncconsole.client import ask
from asyncconsole.client.address import Address
from asyncconsole.commands import dispatch
from asyncconsole.model.errors import ConsoleError
from tests.children import ENVIRONMENT
from tests.evaluation.program import Program
from tests.interpreters import CHECKOUT

LAUNCHER = CHECKOUT / "tests" / "evaluation" / "launcher.py"
COMMAND = "doctor" if "doctor" in dispatch.catalogue() else "deadlocks"
START = 40.0  # seconds until a program must be READY
PAUSE = 1.0  # seconds from READY to the question
ANSWER = 45.0  # seconds for the answer; while C code holds the GIL, there is none


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What came of one run.

    Attributes:
        findings: Of the diagnosis.
        seconds: That the answer took.
        error: Why there is no answer, or "".
    """

    findings: tuple[dict[str, Any], ...] = ()
    seconds: float = 0.0
    error: str = ""


def ask_about(program: Program, python: str, loop: str, *, track: bool) -> Answer:
    """Run a program until it hangs, ask for the diagnosis, and end it with all its processes."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        child = subprocess.Popen(
            [python, LAUNCHER, str(program.path), loop, "1" if track else "0"],
            stdout=subprocess.PIPE,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            env=ENVIRONMENT,
            encoding="utf-8",
            start_new_session=True,
        )
        impatient = threading.Timer(START, _end, (child,))
        impatient.start()
        try:
            port = _until(child, "PORT ")
            ready = port and _until(child, "READY")
            impatient.cancel()
            if not ready:
                errors.seek(0)
                return Answer(error=f"never READY: {errors.read()[-400:].strip()}")
            time.sleep(PAUSE)
            began = time.monotonic()
            address = Address(host="127.0.0.1", port=int(port.split()[1]))
            found = ask.ask(address, COMMAND, ANSWER)
            return Answer(tuple(found["findings"]), time.monotonic() - began)
        except ConsoleError as error:
            return Answer(error=f"{COMMAND}: {error}")
        finally:
            impatient.cancel()
            _end(child)
            child.wait()
            assert child.stdout is not None
            child.stdout.close()


def _until(child: subprocess.Popen[str], start: str) -> str:
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith(start):
            return line
    return ""


def _end(child: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)  # a session of its own: its subprocesses too
