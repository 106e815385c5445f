"""Programs that do not answer, as seen from another process."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asyncconsole.client.outside import spy
from tests.client.cli import COMMAND, client, complaint, document, environment
from tests.client.test_dialogue import Person
from tests.interpreters import runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at /proc"),
]

PROGRAM = Path(__file__).with_name("frozen.py")
LINE = 1 + PROGRAM.read_text().splitlines().index("    return HARD.match(text)  # the line")
SPOT = f"frozen.py:{LINE} in tokenize"


class Child:
    """The program, ready to freeze."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.pid = process.pid
        self.port = 0

    def says(self, word: str) -> list[str]:
        assert self.process.stdout is not None
        words = self.process.stdout.readline().split()
        assert words[:1] == [word], (words, self.process.poll())
        return words[1:]

    def begin(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.says("begins")

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(30) == 0


@contextmanager
def program(
    runtime: Path, scenario: str, python: str = sys.executable, kind: str = "asyncio"
) -> Iterator[Child]:
    """The program, in the world of ``runtime``, asked once so that its console is warm."""
    if kind == "uvloop":
        had = subprocess.run([python, "-c", "import uvloop"], capture_output=True, check=False)
        if had.returncode:
            pytest.skip("uvloop is not installed for this interpreter")
    with subprocess.Popen(
        [python, "-W", "ignore", PROGRAM, scenario, kind],
        env=environment(runtime),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        child = Child(process)
        try:
            child.port = int(child.says("ready")[0])
            assert client(runtime, "check").returncode == 0
            yield child
        finally:
            process.kill()


@cache
def blind() -> str:
    """Why py-spy can't name a line here; "" when it can."""
    if (path := spy.find()) is None:
        return "py-spy is not installed"
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        done = subprocess.run(
            [path, "dump", "--nonblocking", "--pid", str(child.pid)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        child.communicate(b"\n")
    return "" if done.returncode == 0 else f"py-spy: {done.stderr.strip()[:200]}"


WITHOUT = {"PATH": "/usr/bin:/bin"}  # where no py-spy is


def sees_no_spy() -> bool:
    """True when clients of these tests can be kept from finding py-spy."""
    return not (Path(sys.executable).parent / "py-spy").exists()


@contextmanager
def guarding(runtime: Path, *words: str, answered: bool = True) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*COMMAND, "guard", *words],
        env=environment(runtime),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            if answered:
                met(process)
            yield process
        finally:
            process.kill()


def met(guard: subprocess.Popen[str]) -> None:
    """The program has answered it."""
    assert guard.stderr is not None
    assert guard.stderr.readline().startswith("asyncconsole: watching frozen.py (pid ")


def event(guard: subprocess.Popen[str]) -> Any:
    """The next line of a guard that tells JSON."""
    assert guard.stdout is not None
    return json.loads(guard.stdout.readline())


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_check_proves_that_c_code_holds_the_gil(python: str, kind: str, tmp_path: Path) -> None:
    with program(tmp_path, "regex", python, kind) as child:
        child.begin()
        began = time.monotonic()
        done = client(tmp_path, "check", "--timeout", "20")
        assert time.monotonic() - began < 20
        assert (done.returncode, done.stderr) == (1, "")
        assert done.stdout.startswith(f"frozen.py (pid {child.pid}): stall: ")
        assert done.stdout.count("\n") == 1
        if blind():
            assert "% CPU" in done.stdout
            assert "C code that holds the GIL" in done.stdout
            pytest.skip(blind())
        assert "GIL held in C for ≥ " in done.stdout
        assert SPOT in done.stdout


def test_check_of_a_program_that_the_command_runs(tmp_path: Path) -> None:
    """The script is named as the console's thread, and so is all that it starts, at first."""
    command, script = tmp_path / "asyncconsole", tmp_path / "held.py"
    command.write_text(
        f"#!{sys.executable}\nimport sys\nfrom asyncconsole.client.main import main\nsys.exit(main())\n"
    )
    command.chmod(0o700)
    script.write_text(HELD)
    with subprocess.Popen(
        [command, "run", "--port", "0", script],
        env=environment(tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            child = Child(process)
            assert set(child.says("ready")) == {Path(sys.executable).name[:15]}
            assert client(tmp_path, "check").returncode == 0
            child.begin()
            done = client(tmp_path, "check", "--timeout", "20", **WITHOUT)
        finally:
            process.kill()
    assert (done.returncode, done.stderr) == (1, "")
    assert "main thread has used" in done.stdout or "GIL held in C for" in done.stdout


HELD = """
import asyncio, sys, threading
from pathlib import Path

def name():
    names.append(Path("/proc/thread-self/comm").read_text().strip())

names = []
name()
worker = threading.Thread(target=name)
worker.start()
worker.join()

async def main():
    print("ready", names[0], *names[1:] if sys.version_info < (3, 14) else (), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    print("begins", flush=True)
    3 ** (1 << 28)

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("scenario", "words"),
    [("power", "main thread has used"), ("sleeps", "sleeps"), ("in_thread", "its thread")],
)
def test_whoever_holds_it(scenario: str, words: str, tmp_path: Path) -> None:
    with program(tmp_path, scenario) as child:
        child.begin()
        done = client(tmp_path, "check", str(child.pid), "--timeout", "20", **WITHOUT)
        assert (done.returncode, done.stderr) == (1, ""), done
        assert sees_no_spy() is ("asyncconsole[guard]" in done.stdout)
        assert words in done.stdout or "GIL held in C" in done.stdout


def test_connect_says_what_it_waits_for(tmp_path: Path) -> None:
    with program(tmp_path, "regex") as child:
        child.begin()
        address = f"127.0.0.1:{child.port}"
        done = client(tmp_path, "connect", address, "-c", "stalls", "--timeout", "2")
        assert (done.returncode, done.stdout) == (4, "")
        assert "GIL" in complaint(done)
        assert f"(pid {child.pid})" in done.stderr
        done = client(tmp_path, "ls", "--timeout", "1")
        assert "no answer: GIL held in C" in done.stdout
        done = client(tmp_path, "connect", str(child.pid), "-c", "stalls", "--timeout", "60")
        assert done.returncode == 0
        assert "gil holding c call" in done.stdout
        assert "chat:7" in done.stdout
        assert f"frozen.py:{LINE} tokenize" in done.stdout


def test_a_person_is_told(tmp_path: Path) -> None:
    with program(tmp_path, "regex") as child:
        person = Person(["connect", str(child.pid)], tmp_path)
        person.sees(f"{child.pid}>")
        child.begin()
        person.types("loops\r")
        person.sees("GIL")
        assert "does not answer yet: " in " ".join(person.shown().split())
        person.types("\x03")
        time.sleep(1.2)
        person.types("\x03")
        assert person.leaves() == 130


LESS = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]


def right_to_lose() -> bool:
    """True where these tests may look at every process, and can give that up."""
    rights = re.search(r"(?m)^CapEff:\s*(\w+)", Path("/proc/self/status").read_text())
    if rights is None or not int(rights[1], 16) >> 19 & 1 or shutil.which(LESS[0]) is None:
        return False
    return subprocess.run([*LESS, "true"], capture_output=True, check=False).returncode == 0


def test_without_the_right_to_look_closely(tmp_path: Path) -> None:
    if not right_to_lose():
        pytest.skip("nothing to give up: no capability SYS_PTRACE, or no setpriv")
    with program(tmp_path, "regex") as child:
        child.begin()
        done = subprocess.run(
            [*LESS, *COMMAND, "check", "--timeout", "3"],
            env=environment(tmp_path),
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout) == (4, "")
        assert "C code that holds the GIL" in complaint(done)
        assert ("SYS_PTRACE" if spy.find() else "asyncconsole[guard]") in done.stderr


def test_a_lag_that_is_allowed_is_no_stall(tmp_path: Path) -> None:
    with program(tmp_path, "sleeps") as child:
        child.begin()
        assert client(tmp_path, "check", "--max-lag", "60", "--timeout", "30").returncode == 0
        child.says("thawed")


def test_a_stopped_program_is_told_as_stopped(tmp_path: Path) -> None:
    with program(tmp_path, "idle") as child:
        os.kill(child.pid, signal.SIGSTOP)
        for words in (
            ("check",),
            ("connect", "-c", "ps"),
            ("connect", f":{child.port}", "-c", "ps"),
        ):
            done = client(tmp_path, *words, "--timeout", "1")
            assert (done.returncode, done.stdout) == (4, "")
            assert "it is stopped (SIGSTOP" in complaint(done)
            assert f"kill -CONT {child.pid}" in done.stderr
        assert "no answer: stopped" in client(tmp_path, "ls", "--timeout", "1").stdout
        with guarding(tmp_path, "--json", answered=False) as guard:
            told = event(guard)
            assert (told["event"], told["kind"], told["pid"]) == ("freeze", "stopped", child.pid)
            os.kill(child.pid, signal.SIGCONT)
            assert event(guard)["event"] == "freeze_end"


def test_a_busy_program_that_answers(tmp_path: Path) -> None:
    with program(tmp_path, "busy") as child, guarding(tmp_path, "--max-lag", "5") as guard:
        child.begin()
        assert client(tmp_path, "check", "--timeout", "30").returncode == 0
        child.says("thawed")
        child.end()
        out, err = guard.communicate(timeout=30)
        assert (guard.returncode, out, err) == (0, "", "")


def test_guard_tells_of_a_freeze_and_of_its_end(
    tmp_path: Path, valid: Callable[[Any], Any]
) -> None:
    with program(tmp_path, "regex") as child:
        log = tmp_path / "log"
        words = (
            f"{sys.executable} -c \"import sys; open({str(log)!r}, 'a').write(sys.stdin.read())\""
        )
        with guarding(
            tmp_path, str(child.pid), "--json", "--every", "0.2", "--exec", words
        ) as guard:
            time.sleep(1)  # it asks and is answered
            child.begin()
            told = valid(event(guard))
            assert (told["event"], told["kind"]) == ("freeze", "gil_held")
            assert (told["pid"], told["program"]) == (child.pid, "frozen.py")
            assert 1 <= told["seconds"] < 20
            if told["frame"] is not None:  # a loaded machine may have no time for py-spy just then
                assert not blind()
                assert told["frame"] == {"file": str(PROGRAM), "line": LINE, "function": "tokenize"}
                assert f"GIL held in C for ≥ {told['seconds']:.1f} s at {SPOT}" in told["text"]
            over = valid(event(guard))
            assert (over["event"], over["task"]) == ("freeze_end", "chat:7")
            assert over["frame"]["line"] == LINE
            assert over["seconds"] > told["seconds"]
            child.says("thawed")
            child.end()
            out, err = guard.communicate(timeout=30)
            assert (guard.returncode, out, err) == (0, "", "")
        kept = [json.loads(line) for line in log.read_text().splitlines()]
        assert kept == [told, over]


def test_guard_tells_of_a_blocked_loop(tmp_path: Path, valid: Callable[[Any], Any]) -> None:
    with program(tmp_path, "blocks") as child, guarding(tmp_path, "--json") as guard:
        child.begin()
        told, over = valid(event(guard)), valid(event(guard))
        assert [told["event"], over["event"]] == ["stall", "stall_end"]
        assert told["kind"] == over["kind"] == "blocking_call"
        assert told["task"] == "chat:7"
        assert over["seconds"] > 2
        child.says("thawed")
        child.end()
        assert guard.wait(30) == 0


def test_guard_in_words_and_its_exit_codes(tmp_path: Path) -> None:
    with program(tmp_path, "sleeps") as child, guarding(tmp_path) as guard:
        assert guard.stdout is not None
        child.begin()
        assert f"frozen.py (pid {child.pid}) is frozen: " in guard.stdout.readline()
        assert " answers again after " in guard.stdout.readline()
        guard.send_signal(signal.SIGINT)
        assert guard.wait(30) == 130
        assert child.process.poll() is None
    done = client(tmp_path, "guard", "127.0.0.1:1")
    assert (done.returncode, done.stdout) == (3, "")
    complaint(done)
    done = client(tmp_path, "guard", "--exec", "'")
    assert done.returncode == 2
    complaint(done)


def test_a_guard_survives_a_killed_program(tmp_path: Path) -> None:
    with program(tmp_path, "idle") as child, guarding(tmp_path, "--json") as guard:
        child.process.kill()
        out, err = guard.communicate(timeout=30)
        assert (guard.returncode, out) == (0, "")
        assert "has closed its console" in err or err == ""


def test_ls_as_json_says_why(tmp_path: Path) -> None:
    with program(tmp_path, "sleeps") as child:
        child.begin()
        row = document(client(tmp_path, "ls", "--json", "--timeout", "1.5"))["consoles"][0]
        assert (row["state"], row["detail"]) == ("no answer", "no answer: GIL held in C")
