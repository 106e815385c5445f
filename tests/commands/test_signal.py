"""`signal` through the front door."""

from __future__ import annotations

import signal
import subprocess

import pytest

from tests.children import ENVIRONMENT, connect
from tests.interpreters import CHECKOUT, INTERPRETERS
from tests.own.person import DEADLINE, Person

PROGRAM = """
import asyncio, signal
import asyncconsole

def on_usr1(number, frame):
    print("usr1", flush=True)

async def main():
    console = asyncconsole.start(port=0, unix_socket=False)
    signal.signal(signal.SIGUSR1, on_usr1)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, lambda: print("usr2", flush=True))
    print(console.port, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def start():
    started = []

    def begin(python):
        child = subprocess.Popen(
            [python, "-W", "error", "-c", PROGRAM], cwd=CHECKOUT, env=ENVIRONMENT,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(child)
        return child, int(child.stdout.readline())

    yield begin
    for child in started:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("python", INTERPRETERS)
def test_a_signal_is_explained_asked_about_and_sent(start, python, valid):
    child, port = start(python)
    person = Person(port)
    said = person.ask("signal usr1", "Go on? [y/N] ")
    assert said == "SIGUSR1 calls on_usr1 (<string>:5) in the main thread.\n"
    assert person.ask("no") == "Nothing was done.\n"
    person.ask("signal usr1", "Go on? [y/N] ")
    assert person.ask("y") == f"SIGUSR1 was sent to process {child.pid}.\n"
    assert child.stdout.readline() == "usr1\n"
    said = person.ask("signal SIGUSR2 --yes")
    assert said.startswith("SIGUSR2 has a handler in the program's event loop, and runs when that")
    assert child.stdout.readline() == "usr2\n"
    assert "SIGHUP is ignored by the program." in person.ask("signal 1 --yes")
    assert "has no handler in the program, and does nothing then" in person.ask("signal winch -y")
    said = person.ask("signal INT", "Go on? [y/N] ")
    assert "raises KeyboardInterrupt" in said or "main task, as Ctrl-C does." in said
    person.ask("n")
    assert "no signal `TREM`. Did you mean `SIGTERM`?" in person.ask("signal TREM")
    assert "there is no signal 4242 here" in person.ask("signal 4242")
    person.leave()
    done = connect(port, "signal TERM", options=("--json",))
    assert (done.returncode, done.stderr) == (0, "")
    assert valid(done.stdout) == {
        "schema": "asyncconsole/signal/1",
        "signal": "SIGTERM",
        "number": signal.SIGTERM,
        "pid": child.pid,
        "reaction": "has no handler in the program: it ends the process",
    }
    _, errors = child.communicate(timeout=DEADLINE)
    assert child.returncode == -signal.SIGTERM
    assert " ran: signal TERM" in errors
