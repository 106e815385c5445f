"""`run --abort-after`: a program whose loop stays blocked is told of and ended."""

from __future__ import annotations

import contextlib
import math
import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

import asyncconsole
from asyncconsole.serve.abort import EXIT_CODE
from tests.client.cli import environment
from tests.documents import validate
from tests.interpreters import INTERPRETERS, runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.alone

APP = """
import asyncio, logging, os, re, signal, sys, time

LOCK = asyncio.Lock()

def sleeping():
    time.sleep(60)  # the call

def spinning():
    while True:
        pass

def logging_():
    handler = logging.StreamHandler()
    logging.getLogger().addHandler(handler)
    handler.acquire()
    time.sleep(60)

def full():
    os.set_blocking(2, False)
    try:
        while True:
            os.write(2, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(2, True)
    time.sleep(60)

def handled():
    for number in (signal.SIGABRT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(60)

def brief():
    time.sleep(0.7)

def holding():
    re.match("(a+)+$", "a" * 24 + "b")

def tick():
    pass

async def holder(what):
    async with LOCK:
        await asyncio.sleep(0.3)
        globals()[what]()

async def waiter():
    async with LOCK:
        pass

async def main(what):
    print("here", flush=True)
    jobs = [asyncio.create_task(holder(what), name="holder"), asyncio.create_task(waiter(), name="waiter")]
    await asyncio.gather(*jobs)
    if what == "tick":
        for _ in range(600):
            await asyncio.sleep(0.01)
    print("over", flush=True)

if sys.argv[2:] == ["uvloop"]:
    import uvloop
    uvloop.install()
asyncio.run(main(sys.argv[1]))
"""


@contextlib.contextmanager
def started(
    folder: Path, *words: str, after: str = "1.2", python: str = sys.executable
) -> Iterator[subprocess.Popen[str]]:
    (folder / "app.py").write_text(APP)
    own = ("-W", "error", "-W", "ignore::DeprecationWarning", "-m", "asyncconsole", "run")
    options = ("--quiet", "--abort-after", after, "--stall-log", str(folder / "stalls.jsonl"))
    with subprocess.Popen(
        [python, *own, *options, str(folder / "app.py"), *words],
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            yield child
        finally:
            child.kill()


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_what_is_known_goes_to_stderr_and_the_process_ends(
    tmp_path: Path, python: str, kind: str
) -> None:
    with started(tmp_path, "sleeping", kind, python=python) as child:
        out, text = child.communicate(timeout=60)
    if "No module named 'uvloop'" in text:
        pytest.skip("uvloop is not installed for this interpreter")
    assert child.returncode == EXIT_CODE
    assert out == "here\n"
    assert re.search(r"loop 1 is blocked, \d+\.\d+ s so far: task holder \(\d\) at app.py:7", text)
    assert "Exit code: 75" in text
    for part in ("Verdict", "Loops", "Tasks", "Locks", "Stalls", "Threads"):
        assert f"-- {part} ---" in text
    assert "not shown" not in text
    assert re.search(r"waiting +waiter", text)
    assert "time.sleep(60)  # the call" in text  # in the stack of the thread
    (line,) = (tmp_path / "stalls.jsonl").read_text().splitlines()
    assert validate(line)["task_name"] == "holder"


@pytest.mark.parametrize("what", ["spinning", "logging_", "full", "handled"])
def test_nothing_keeps_it(tmp_path: Path, what: str) -> None:
    with started(tmp_path, what) as child:
        began = time.monotonic()
        assert child.wait(60) == EXIT_CODE  # nobody reads its pipes meanwhile
        assert time.monotonic() - began < 40


@pytest.mark.parametrize("what", ["brief", "tick"])
def test_who_goes_on_in_time_is_left_alone(tmp_path: Path, what: str) -> None:
    with started(tmp_path, what, after="5") as child:
        out, text = child.communicate(timeout=60)
    assert (child.returncode, out, text) == (0, "here\nover\n", "")


def test_a_process_that_was_stopped_is_left_alone(tmp_path: Path) -> None:
    with started(tmp_path, "tick", after="1") as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "here\n"
        time.sleep(0.5)
        os.kill(child.pid, signal.SIGSTOP)
        time.sleep(3)
        os.kill(child.pid, signal.SIGCONT)
        out, text = child.communicate(timeout=60)
    assert (child.returncode, out, text) == (0, "over\n", "")


@pytest.mark.parametrize("python", INTERPRETERS[:1])
def test_c_code_that_had_the_gil_and_is_through_ends_nothing(tmp_path: Path, python: str) -> None:
    with started(tmp_path, "holding", after="0.6", python=python) as child:
        out, _ = child.communicate(timeout=100)
    assert (child.returncode, out) == (0, "here\nover\n")


@pytest.mark.parametrize("wrong", [0, -1, math.inf, math.nan])
def test_seconds_that_are_none_are_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="abort_after="):
        asyncconsole.start(abort_after=wrong)


def test_there_must_be_a_probe() -> None:
    with pytest.raises(ValueError, match="stall_threshold=0"):
        asyncconsole.start(abort_after=1, stall_threshold=0)
