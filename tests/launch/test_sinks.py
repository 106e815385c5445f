"""Stalls of a program under `run`: in its log, in a file, and as a flame graph."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.client.cli import announcement, client, environment
from tests.documents import validate
from tests.interpreters import INTERPRETERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.alone

APP = """
import asyncio, time

def read():
    time.sleep(0.6)

async def main():
    await asyncio.sleep(0.5)
    read()
    await asyncio.to_thread(input)

asyncio.run(main())
"""


@contextmanager
def running(
    folder: Path, *words: str, python: str = sys.executable, **more: str
) -> Iterator[subprocess.Popen[str]]:
    (folder / "app.py").write_text(APP)
    command = [python, "-W", "error", "-m", "asyncconsole", "run", *words]
    with subprocess.Popen(
        [*command, str(folder / "app.py")],
        env=environment(folder, **more),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert re.search(r"connect \d+", announcement(child))
        try:
            yield child
        finally:
            child.kill()


def stderr(child: subprocess.Popen[str]) -> str:
    """What it has written when it has ended by itself."""
    _, text = child.communicate("\n", timeout=30)
    assert child.returncode == 0, text
    return text


@pytest.mark.parametrize("python", INTERPRETERS)
def test_a_threshold_that_was_given_logs_stalls_and_a_file_gets_them(
    tmp_path: Path, python: str
) -> None:
    file = tmp_path / "stalls.jsonl"
    words = ("--stall-threshold", "0.2", "--stall-log", str(file))
    with running(tmp_path, *words, python=python) as child:
        text = stderr(child)
    assert re.search(r"loop 1 is blocked, 0\.\d+ s so far: task .* at app.py:5 read → time", text)
    assert f'  File "{tmp_path}/app.py", line 5, in read\n    time.sleep(0.6)\n' in text
    assert re.search(r"loop 1 was blocked for 0\.\d+ s", text)
    (line,) = file.read_text().splitlines()
    found = validate(line)
    assert (found["kind"], found["frame"]["function"]) == ("blocking_call", "read")
    assert found["stacks"][0]["frames"][-1]["line"] == 5


def test_the_variable_names_the_file_and_nothing_is_logged_unasked(tmp_path: Path) -> None:
    file = tmp_path / "stalls.jsonl"
    with running(tmp_path, ASYNCCONSOLE_STALL_LOG=str(file)) as child:
        assert stderr(child) == ""
    assert len(file.read_text().splitlines()) == 1


def test_probe_is_a_threshold_of_a_tenth_of_a_second(tmp_path: Path) -> None:
    with running(tmp_path, "--probe") as child:
        assert child.stderr is not None
        while "was blocked" not in child.stderr.readline():
            assert child.poll() is None
        status = client(tmp_path, "connect", str(child.pid), "-c", "probe", "--json")
    assert json.loads(status.stdout)["threshold"] == 0.1


def test_a_flame_graph_and_folded_stacks_by_connect(tmp_path: Path) -> None:
    with running(tmp_path, "--stall-threshold", "0.1") as child:
        assert child.stderr is not None
        while "was blocked" not in child.stderr.readline():
            assert child.poll() is None
        target = str(child.pid)
        drawn = client(tmp_path, "connect", target, "-c", "stalls --svg")
        folded = client(tmp_path, "connect", target, "-c", "stalls --folded")
        document = client(tmp_path, "connect", target, "-c", "stalls --svg", "--json")
        both = client(tmp_path, "connect", target, "-c", "stalls --svg --folded")
    titles = [item.text or "" for item in ET.fromstring(drawn.stdout).iter() if "title" in item.tag]
    assert any(re.match(rf"read \({tmp_path}/app.py:5\), \d+ samples", text) for text in titles)
    assert re.match(r"loop 1;main \(app.py:9\);read \(app.py:5\) \d+\n", folded.stdout)
    (stall,) = validate(document.stdout)["stalls"]
    assert sum(item["samples"] for item in stall["stacks"]) == stall["samples"]
    assert json.loads(document.stdout)["schema"] == "asyncconsole/stalls/1"
    assert (both.returncode, both.stdout) == (2, "")
