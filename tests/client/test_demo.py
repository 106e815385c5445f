"""`demo`: scripted without a terminal, a session with one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from asyncconsole.client.demo import folder
from asyncconsole.client.tours import TOURS
from tests.client.cli import COMMAND, client, complaint, environment
from tests.client.test_dialogue import Person
from tests.interpreters import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path


def app_of(text: str) -> int:
    """Process id of the app that a demo has started."""
    found = re.search(r"runs as process (\d+)", text)
    assert found, text
    return int(found[1])


def ended(pid: int) -> None:
    """Wait until there is no such process."""
    end = time.monotonic() + 10
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        assert time.monotonic() < end
        time.sleep(0.02)


def test_every_app_has_a_tour() -> None:
    apps = {path.stem for path in folder().glob("*.py")}
    assert set(TOURS) == apps
    assert folder() == CHECKOUT / "demo_apps"


@pytest.mark.parametrize("name", sorted(TOURS))
def test_the_tour(name: str, tmp_path: Path) -> None:
    done = client(tmp_path, "demo", name)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    commands = re.findall(rf"(?m)^{name} \d+> (.+)$", done.stdout)
    assert commands == [step.command for step in TOURS[name].steps]
    assert "\x1b" not in done.stdout
    ended(app_of(done.stdout))


def test_the_default_is_the_bank_and_it_goes_on(tmp_path: Path) -> None:
    text = client(tmp_path, "demo").stdout
    assert "Found 1 deadlock" in text
    before, _, after = text.partition("> cancel transfer:b→a\n")
    assert "audit" in before
    assert "alice paid 30 to bob" in after


def test_names(tmp_path: Path) -> None:
    listed = client(tmp_path, "demo", "--list").stdout
    assert [line.split()[0] for line in listed.splitlines()] == list(TOURS)


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("raise SystemExit('no money left')", "no money left"),
        ("import no_such_module", "no_such_module"),
    ],
)
def test_an_app_that_does_not_run(source: str, word: str, tmp_path: Path) -> None:
    (tmp_path / "bank.py").write_text(source)
    program = (
        "import pathlib, sys\n"
        "from asyncconsole.client import demo, main\n"
        f"demo.folder = lambda: pathlib.Path({str(tmp_path)!r})\n"
        "sys.exit(main.main(['demo']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert word in complaint(done)


def test_a_tour_that_shows_something_else_fails(tmp_path: Path) -> None:
    program = (
        "import dataclasses, sys\n"
        "from asyncconsole.client import main, tours\n"
        "bank = tours.TOURS['bank']\n"
        "steps = (tours.Step('ps', expect='nobody'), tours.Step('cancle 3', expect='cancelled'))\n"
        "tours.TOURS['bank'] = dataclasses.replace(bank, steps=steps)\n"
        "sys.exit(main.main(['demo']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "'nobody'" in done.stderr
    assert "'cancelled'" in done.stderr
    assert "is not as it should be" in done.stderr  # the deadlock is still there


def test_terminated_it_takes_the_app_with_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "demo"],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        pid = app_of(child.stdout.readline())
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 128 + signal.SIGTERM
    ended(pid)


def test_at_a_terminal_it_is_a_session(tmp_path: Path) -> None:
    person = Person(["demo"], tmp_path)
    person.sees("Try `ps`")
    pid = app_of(person.shown())
    person.sees(f"bank {pid}")
    person.types("\x03")  # for the console, not for the app
    person.types("version\r")
    person.sees("bank.py, pid")
    person.types("exit\r")
    assert person.leaves() == 0
    ended(pid)
