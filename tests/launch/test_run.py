"""`run`'s own part: the console, its options and its one line."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from asyncconsole.launch.program import Program
from asyncconsole.launch.run import split
from asyncconsole.model.errors import UsageError
from tests.client.cli import (
    COMMAND,
    PORT_NEWS,
    announcement,
    client,
    complaint,
    environment,
)

if TYPE_CHECKING:
    from pathlib import Path

LINE = r"asyncconsole: telnet 127\.0\.0\.1 (\d+), or asyncconsole connect (\d+)\n"

SAY_PID = "import os; print(os.getpid())\n"
WAIT = "import asyncio, sys\nasyncio.run(asyncio.wait_for(asyncio.to_thread(input), 60))\n"


@pytest.mark.parametrize(
    ("words", "ours", "program"),
    [
        (["x.py"], [], Program("x.py")),
        (["x.py", "--port", "3"], [], Program("x.py", args=["--port", "3"])),
        (["--port", "3", "x.py", "-m"], ["--port", "3"], Program("x.py", args=["-m"])),
        (["--port=3", "x.py"], ["--port=3"], Program("x.py")),
        (["--read-only", "x.py"], ["--read-only"], Program("x.py")),
        (["-m", "a.b", "-m", "c"], [], Program("a.b", module=True, args=["-m", "c"])),
        (["-ma.b", "x"], [], Program("a.b", module=True, args=["x"])),
        (["--", "-odd.py", "--"], [], Program("-odd.py", args=["--"])),
        (["--host", "-m", "-m", "x"], ["--host", "-m"], Program("x", module=True)),
        (["--dump-signal", "x.py"], ["--dump-signal"], Program("x.py")),
        (["--dump-signal", "SIGUSR2", "x"], ["--dump-signal", "SIGUSR2"], Program("x")),
        (["--dump-signal=quit", "x", "10"], ["--dump-signal=quit"], Program("x", args=["10"])),
        (["--dump-signal", "-m", "usr1"], ["--dump-signal"], Program("usr1", module=True)),
    ],
)
def test_where_our_options_end(words: list[str], ours: list[str], program: Program) -> None:
    assert split(words) == (ours, program)


@pytest.mark.parametrize("words", [[], ["--read-only"], ["--port", "3"], ["-m"], ["--"]])
def test_no_program(words: list[str]) -> None:
    with pytest.raises(UsageError):
        split(words)


def test_one_line_says_where_the_console_is(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SAY_PID)
    done = client(tmp_path, "run", str(tmp_path / "app.py"))
    found = re.fullmatch(LINE, PORT_NEWS.sub("", done.stderr))
    assert found, done.stderr
    assert found[2] == done.stdout.strip()
    quiet = client(tmp_path, "run", "--quiet", str(tmp_path / "app.py"))
    assert (quiet.returncode, PORT_NEWS.sub("", quiet.stderr)) == (0, "")


@pytest.mark.parametrize("words", [("--dump-signal",), ("--dump-signal", "USR2")])
def test_a_dump_at_a_signal(tmp_path: Path, words: tuple[str, ...]) -> None:
    number = signal.SIGUSR2 if words[1:] else signal.SIGUSR1
    (tmp_path / "app.py").write_text(WAIT)
    file = tmp_path / "dump.txt"
    with subprocess.Popen(
        [*COMMAND, "run", *words, "--dump-file", str(file), str(tmp_path / "app.py")],
        env=environment(tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        announcement(child)
        child.send_signal(number)
        start = time.monotonic()
        again = False
        while not file.exists() or "== end of dump" not in file.read_text("utf-8"):
            waited = time.monotonic() - start
            assert waited < 60
            if waited > 20 and not again and not file.exists():
                # One that comes just before a call in C waits is seen by Python only after it.
                again = True
                child.send_signal(number)
            time.sleep(0.05)
        child.communicate("\n", timeout=20)
        assert child.returncode == 0
    assert "app.py" in file.read_text("utf-8")


def test_a_signal_that_can_not_be_had(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SAY_PID)
    done = client(tmp_path, "run", "--dump-signal=SIGKILL", str(tmp_path / "app.py"))
    assert done.returncode == 1
    assert done.stdout == ""
    assert "give True, SIGUSR1" in complaint(done)


def test_a_taken_port(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SAY_PID)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        strict = client(tmp_path, "run", "--port", port, "--strict-port", str(tmp_path / "app.py"))
        lenient = client(tmp_path, "run", "--port", port, str(tmp_path / "app.py"))
    assert strict.returncode != 0
    assert strict.stdout == ""
    assert port in complaint(strict)
    assert lenient.returncode == 0
    assert lenient.stdout != ""


def test_an_open_address_is_refused_before_the_program_runs(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SAY_PID)
    done = client(tmp_path, "run", "--host", "0.0.0.0", str(tmp_path / "app.py"))
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    complaint(done)


def test_options_reach_the_console(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(WAIT)
    with subprocess.Popen(
        [*COMMAND, "run", "--read-only", "--no-unix-socket", str(tmp_path / "app.py")],
        env=environment(tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert re.fullmatch(LINE, announcement(child))
        done = client(tmp_path, "connect", str(child.pid), "-c", "ps", "-c", "cancel 1")
        assert "main" in done.stdout or "wait_for" in done.stdout
        assert "read-only" in complaint(done)
        assert done.returncode == 1
        assert list(tmp_path.glob("asyncconsole/*.json"))
        assert not list(tmp_path.glob("asyncconsole/*.sock"))
        child.communicate("\n", timeout=20)
        assert child.returncode == 0
    assert not list(tmp_path.glob("asyncconsole/*.json"))
