"""A console in a child process, and a way to ask it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.children import ENVIRONMENT, connect

PROGRAMS = Path(__file__).with_name("programs.py")


class Program:
    """One running program with the console on."""

    def __init__(self, name, *more, python=sys.executable):
        self.process = subprocess.Popen(
            [python, "-W", "error", str(PROGRAMS), name, *more],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.port = int(self.process.stdout.readline())

    def ask(self, *commands, options=(), code=0, timeout=30):
        """What `asyncconsole connect -c` prints for these commands."""
        done = connect(self.port, *commands, options=options, timeout=timeout + 30)
        self.complaint = done.stderr
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout

    def json(self, command, **more):
        """The document that a command prints."""
        return json.loads(self.ask(command, options=("--json",), **more))

    def until(self, command, good, seconds=30):
        """Ask again and again until ``good(document)``."""
        end = time.monotonic() + seconds
        while True:
            document = self.json(command)
            if good(document):
                return document
            if time.monotonic() > end:
                raise TimeoutError(document)

    def end(self):
        self.process.kill()
        self.process.communicate(timeout=20)


@pytest.fixture
def program():
    running = []

    def start(name, *more, **options):
        running.append(Program(name, *more, **options))
        return running[-1]

    yield start
    for one in running:
        one.end()
