"""What only clients need loads with the first one, also while the program stands in an import."""

import contextlib
import json
import select
import socket
import subprocess
import time

import pytest

from tests.interpreters import INTERPRETERS
from tests.serve.conftest import DEADLINE, Client, environment, wait_until

# It stands still in `import slow` from the first line of stdin to the second, either in the
# module's own code or, with a finder, while importlib looks for it and keeps the lock of all
# imports.
PROGRAM = """
import asyncio, sys
import asyncconsole
from asyncconsole.serve import loading

loading.PATIENCE = float(sys.argv[2])

class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "slow":
            print("frozen", flush=True)
            sys.stdin.readline()

async def hold(lock):
    async with lock:
        await asyncio.Event().wait()

async def wait(lock):
    async with lock:
        pass

async def main():
    lock = asyncio.Lock()
    tasks = [asyncio.create_task(work(lock), name=work.__name__) for work in (hold, wait)]
    await asyncio.sleep(0)
    if sys.argv[1] == "finder":
        sys.meta_path.insert(0, Finder())
    print(console.port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    try:
        import slow
    except ImportError:
        pass
    print("awake", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)

console = asyncconsole.start(port=0)
asyncio.run(main())
"""

SLOW = """
import sys
print("frozen", flush=True)
sys.stdin.readline()
"""


class Frozen:
    """A program that stands still in an import when told to."""

    def __init__(self, python, where, patience, directory):
        (directory / "program.py").write_text(PROGRAM)
        if where == "module":
            (directory / "slow.py").write_text(SLOW)
        self.process = subprocess.Popen(
            [python, str(directory / "program.py"), where, str(patience)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        self.port = int(self.line())

    def line(self):
        ready, _, _ = select.select([self.process.stdout], [], [], DEADLINE)
        assert ready, "it said nothing"
        said = self.process.stdout.readline().strip()
        assert said, self.process.communicate()[1]
        return said

    def go_on(self, expected):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self.line() == expected

    def ask(self, *lines):
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE) as sock:
            client = Client(sock)
            with contextlib.suppress(ConnectionError):  # it may hang up on the first word
                client.send("".join(line + "\n" for line in (*lines, "exit")))
            return client.rest()

    def end(self):
        _, errors = self.process.communicate("\n", timeout=DEADLINE)
        assert self.process.returncode == 0, errors


@pytest.fixture
def freeze(runtime, tmp_path):
    started = []

    def start(python, where, patience=DEADLINE):
        started.append(Frozen(python, where, patience, tmp_path))
        return started[-1]

    yield start
    for program in started:
        with program.process:
            program.process.kill()


@pytest.mark.parametrize("python", INTERPRETERS)
def test_the_first_client_is_served_inside_a_modules_import(freeze, python):
    program = freeze(python, "module")
    program.go_on("frozen")
    answers = program.ask("ps", "where Task-1", "deadlocks")
    assert "hold" in answers
    assert "slow.py" in answers
    assert "Found no deadlock" in answers
    program.go_on("awake")
    program.end()


COMMANDS = (
    "ps", "ps --json", "ps --group", "where wait", "tree", "locks", "lock L1", "loops", "deadlocks",
    "stalls", "probe", "stacktrace", "help", "help ps", "version", "psx", "where psx", "ps --jsno",
    "track", "debug", "ps-terminated", "doctor", "cancel wait --wait 0.1", "dump", "dump -",
    "watch --count 1 0.1 ps", "top",
)  # fmt: skip


@pytest.mark.parametrize("python", INTERPRETERS)
def test_later_clients_need_no_import_at_all(freeze, python):
    program = freeze(python, "finder")
    assert "hold" in program.ask("ps")
    program.go_on("frozen")
    wait_until(lambda: "program.py:13" in program.ask("stalls"))
    for line in COMMANDS:
        began = time.monotonic()
        answer = program.ask(line)
        assert answer.strip(), line
        assert "defect" not in answer, (line, answer)
        assert time.monotonic() - began < DEADLINE, line
    assert "Did you mean `ps`" in program.ask("psx")
    program.go_on("awake")
    program.end()


def test_a_first_client_that_can_not_be_served_is_told_why(freeze):
    program = freeze(INTERPRETERS[0].values[0], "finder", patience=0.2)
    program.go_on("frozen")
    for _ in range(2):
        assert "stands still inside an import" in program.ask("ps")
    refused = json.loads(program.ask('ASYNCCONSOLE/1 {"interactive": false}'))["refused"]
    assert "stands still inside an import" in refused
    program.go_on("awake")
    wait_until(lambda: "hold" in program.ask("ps"))
    program.end()
