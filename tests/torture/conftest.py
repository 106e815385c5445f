"""Programs that are to be tortured, and the measure of it."""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.serve.conftest import DEADLINE, Program, environment, wait_until

LONG = "ASYNCCONSOLE_LONG" in os.environ
"""Set it for runs that take hours."""

GROWTH = 10 * 1024 * 1024
"""Bytes of memory that all of it may cost."""


FLAT = ("fds", "threads", "tasks", "clients")


class Host(Program):
    """A child process with a console on a real program."""

    def tell(self, expression):
        """The value of an expression in the program, which shows that its loop goes on, too."""
        self.process.stdin.write(expression + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        return json.loads(line)

    def facts(self):
        return self.tell("facts()")

    def settled(self, before):
        """Wait until nothing is left of what was done; its memory has hardly grown."""

        end = time.monotonic() + 3 * DEADLINE  # commands that run may take that long
        while any((now := self.facts())[name] > before[name] for name in FLAT):
            assert time.monotonic() < end, (before, now)
            time.sleep(0.05)
        assert now["memory"] - before["memory"] <= GROWTH
        assert now["beats"] > before["beats"]

    def command(self, line="version"):
        """The answer to one command, over a connection of its own."""
        client = self.connect()
        client.send(f"ASYNCCONSOLE/1 {{}}\n{json.dumps({'run': line})}\n")
        client.until('"hello"')
        said = client.until('"done": ') + client.until("}")
        client.sock.close()
        return said


def start(runtime, **options):
    process = subprocess.Popen(
        [
            sys.executable,
            "-W",
            "error",
            str(Path(__file__).parent / "host.py"),
            json.dumps(options),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(XDG_RUNTIME_DIR=str(runtime), TMPDIR=str(runtime)),
    )
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return Host(process, json.loads(line))


def stop(host):
    for sock in host.clients:
        sock.close()
    if host.process.poll() is None:
        host.process.kill()
        host.process.communicate()
    for pipe in (host.process.stdin, host.process.stdout, host.process.stderr):
        pipe.close()


@pytest.fixture
def torture(tmp_path):
    """``torture(option=...)`` starts tests/torture/host.py and gives a `Host`."""
    started = []

    def begin(**options):
        started.append(start(tmp_path, **options))
        return started[-1]

    yield begin
    for host in started:
        stop(host)


@pytest.fixture(scope="module")
def victim(tmp_path_factory):
    """One program for all that clients do to it, and what it was like before."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # for a thousand clients
    host = start(tmp_path_factory.mktemp("victim"), tasks=100)
    for line in ("ps", "version", "deadlocks", "nonsense"):
        host.command(line)
    telnet = host.connect()
    telnet.send(b"\xff\xfc\x18\xff\xfc\x1f")
    telnet.until(b"> ")
    # A full house, as there may be at any time: what its comings and goings leave in the
    # allocator's hands, some 10 MiB, is not given back, but does not grow either.
    for _ in range(200):
        host.connect()
    for sock in host.clients:
        sock.close()
    host.clients.clear()
    wait_until(lambda: not host.facts()["clients"])
    host.before = host.facts()
    yield host
    host.process.stdin.close()
    assert host.process.wait(DEADLINE) == 0
    stop(host)
