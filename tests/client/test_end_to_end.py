"""The clients on real programs: the demo apps, run with a real console."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.client.cli import announcement, client, complaint, document, environment
from tests.client.test_dialogue import Person
from tests.interpreters import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def running(runtime: Path, name: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A demo app with a console, in the world of ``runtime``."""
    with subprocess.Popen(
        [sys.executable, "-m", "asyncconsole", "run", *options, f"demo_apps/{name}.py"],
        cwd=CHECKOUT,
        env=environment(runtime),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            assert "asyncconsole connect" in announcement(child)
            yield child
        finally:
            child.kill()


def until(probe: Callable[[], Any]) -> Any:
    """The first true answer of ``probe()``."""
    end = time.monotonic() + 30
    while not (found := probe()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def test_a_deadlock_is_found_broken_and_gone(tmp_path: Path, valid: Callable[[Any], Any]) -> None:
    with running(tmp_path, "bank"):
        done = until(lambda: (d := client(tmp_path, "check")).returncode == 1 and d)
        assert re.match(r"bank\.py \(pid \d+\): deadlock: .*transfer:a→b", done.stdout)
        for command in ("ps", "locks", "loops", "stalls", "deadlocks"):
            valid(document(client(tmp_path, "connect", "-c", command, "--json")))
        assert client(tmp_path, "connect", "-c", "cancel transfer:b→a").returncode == 0
        done = client(tmp_path, "check")
        assert done.returncode == 0, done
        assert "healthy: 1 loop" in done.stdout


def test_a_blocked_program_still_answers(tmp_path: Path) -> None:
    with running(tmp_path, "ledger") as child:
        done = until(lambda: (d := client(tmp_path, "check")).returncode == 1 and d)
        assert "stall: " in done.stdout
        assert "read_ledger" in done.stdout
        assert client(tmp_path, "check", "--max-lag", "60").returncode == 0
        text = client(tmp_path, "connect", str(child.pid), "-c", "where nightly-import").stdout
        assert "read_ledger" in text
        assert "blocked" in client(tmp_path, "ls").stdout


def test_a_healthy_program(tmp_path: Path) -> None:
    with running(tmp_path, "shop"):
        done = until(
            lambda: (d := client(tmp_path, "check", "--max-lag", "5")).returncode == 0 and d
        )
        assert "healthy" in done.stdout
        row = document(client(tmp_path, "ls", "--json"))["consoles"][0]
        assert row["loops"] == 1
        assert row["tasks"] > 10
        assert row["argv"][-1] == "demo_apps/shop.py"


def test_a_stopped_program(tmp_path: Path) -> None:
    with running(tmp_path, "bank") as child:
        child.send_signal(signal.SIGSTOP)
        for words in (("connect", "-c", "ps"), ("check",)):
            done = client(tmp_path, *words, "--timeout", "0.5")
            assert done.returncode == 4
            complaint(done)
        assert "no answer" in client(tmp_path, "ls", "--timeout", "0.5").stdout
        child.send_signal(signal.SIGCONT)
        assert client(tmp_path, "connect", "-c", "ps").returncode == 0


def test_wrong_commands(tmp_path: Path) -> None:
    with running(tmp_path, "bank", "--no-unix-socket"):
        done = client(tmp_path, "connect", "-c", "cancle 3")
        assert (done.returncode, done.stdout) == (2, "")
        assert "`cancel`" in complaint(done)
        done = client(tmp_path, "connect", "-c", "where nobody", "-c", "version")
        assert done.returncode in (1, 2)
        assert "bank.py" in done.stdout


def test_a_person_at_a_terminal(tmp_path: Path) -> None:
    with running(tmp_path, "bank") as child:
        person = Person(["connect"], tmp_path)
        person.sees(f"bank {child.pid}")
        person.types("loc\t")
        person.sees("> lock")
        person.types("s\r")
        person.sees("ACCOUNTS['bob']")
        person.types("console\r")
        person.sees("bank.py")
        person.types("__import__('__main__').BALANCE['carol'] + 1\r")
        person.sees("21")
        person.types("\x04")  # leaves the REPL
        person.types("version\r")
        person.sees("bank.py, pid")
        person.types("\x04")  # leaves the console
        assert person.leaves() == 0
        person = Person(["connect"], tmp_path)
        person.sees(f"bank {child.pid}")
        child.terminate()
        assert person.leaves() in (0, 3)
