"""Nothing that looks at a program can crash it: stress, while its frames change all the time.

A few seconds each on two interpreters; with ``ASYNCCONSOLE_STRESS`` as many as that says, on all.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from pathlib import Path

import pytest

from asyncconsole.client.outside import spy
from tests.client.cli import client, environment
from tests.interpreters import CHECKOUT, INTERPRETERS

pytestmark = pytest.mark.alone

PROGRAM = Path(__file__).with_name("churning.py")
STRESS = os.environ.get("ASYNCCONSOLE_STRESS")
SECONDS = float(STRESS or "4")
CHOSEN = INTERPRETERS if STRESS else [each for each in INTERPRETERS if each.id in {"3.11", "3.14"}]
"""3.11 is where unsafe dumps were seen to crash within seconds; 3.14 keeps frames differently."""

COMMANDS = (
    "stacktrace",
    "ps --limit 20",
    "stalls 5",
    "tree",
    "locks",
    "deadlocks",
    "doctor",
    "loops",
)


def spying(pid: int, over: threading.Event, dumps: list[int]) -> None:
    """Dump after dump, of a program that runs: what is read may be torn, what is left may not."""
    path = spy.find()
    while path is not None and not over.is_set():
        words = [path, "dump", "--nonblocking", "--json", "--pid", str(pid)]
        done = subprocess.run(words, capture_output=True, timeout=60, check=False)
        dumps.append(done.returncode)


@pytest.mark.parametrize("python", CHOSEN or INTERPRETERS)
def test_a_program_survives_all_that_looks_at_it(python: str, tmp_path: Path) -> None:
    over, dumps, asked = threading.Event(), [], []
    with subprocess.Popen(
        [python, "-W", "ignore", PROGRAM],
        env=environment(tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdin is not None
            assert process.stdout.readline() == "ready\n", process.communicate()
            spies = threading.Thread(target=spying, args=(process.pid, over, dumps))
            spies.start()
            end = time.monotonic() + SECONDS
            commands = [word for command in COMMANDS for word in ("-c", command)]
            while not asked or time.monotonic() < end:
                done = client(tmp_path, "connect", *commands, "--timeout", "55")
                asked.append(done.returncode)
                assert process.poll() is None, (process.returncode, done)
            over.set()
            spies.join()
            out, err = process.communicate(timeout=60)
        finally:
            over.set()
            process.kill()
    assert process.returncode == 0, err
    said = re.fullmatch(r"right (\d+) (\d+)\n", out)
    assert said, (out, err)
    assert int(said[1]) > 0
    assert int(said[2]) > 0
    assert asked
    if spy.find() is None:
        pytest.skip("survived all but py-spy, which is not installed")
    assert dumps


def test_dumps_that_can_crash_are_nowhere() -> None:
    """CPython issues 116008 and 140815: they walk frames that a running thread changes."""
    armed = re.compile(r"dump_traceback_later|faulthandler\.(?:register|enable)")
    sources = list((CHECKOUT / "asyncconsole").rglob("*.py"))
    assert len(sources) > 100
    assert [path for path in sources if armed.search(path.read_text(encoding="utf-8"))] == []
