"""Child programs with a console, and clients that speak to them over real sockets."""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CHECKOUT = HERE.parent.parent
DEADLINE = 20.0


class Client:
    """A socket with a deadline on everything."""

    def __init__(self, sock):
        self.sock = sock
        self.seen = b""

    def send(self, data):
        self.sock.settimeout(DEADLINE)
        self.sock.sendall(data.encode() if isinstance(data, str) else data)

    def until(self, wanted, timeout=DEADLINE):
        """Read until ``wanted`` has come; returns everything before and with it."""
        wanted = wanted.encode() if isinstance(wanted, str) else wanted
        end = time.monotonic() + timeout
        while wanted not in self.seen:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                msg = f"{wanted!r} did not come; got {self.seen[-500:]!r}"
                raise AssertionError(msg)
            data = self.sock.recv(65536)
            if not data:
                msg = f"{wanted!r} did not come before the end; got {self.seen[-500:]!r}"
                raise AssertionError(msg)
            self.seen += data
        head, _, self.seen = self.seen.partition(wanted)
        return (head + wanted).decode("utf-8", "replace")

    def rest(self):
        """Everything until the other side hangs up."""
        self.sock.settimeout(DEADLINE)
        data, self.seen = self.seen, b""
        with contextlib.suppress(ConnectionResetError):
            while piece := self.sock.recv(65536):
                data += piece
        return data.decode("utf-8", "replace")

    def message(self):
        """One JSON line."""
        return json.loads(self.until(b"\n"))


class Program:
    """A child process with a console."""

    def __init__(self, process, said):
        self.process = process
        self.port = said["port"]
        self.socket_path = said["socket"]
        self.pid = said["pid"]
        self.clients = []

    def connect(self):
        client = Client(socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE))
        self.clients.append(client.sock)
        return client

    def connect_unix(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(self.socket_path)
        self.clients.append(sock)
        return Client(sock)

    def ask(self, line="fine"):
        """Prove that the program's main thread goes on."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def looking(self):
        """Wait until a slow command has begun to look."""
        assert "looking" in json.loads(self.process.stdout.readline())

    def end(self):
        """Let it end by itself; what it wrote to stderr."""
        _, errors = self.process.communicate(timeout=DEADLINE)
        assert self.process.returncode == 0, errors
        return errors


def descriptors(pid="self"):
    """How many file descriptors a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def environment(**more):
    return {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONWARNINGS": "error", **more}


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    """A runtime directory of this test's own; other consoles of this user stay out of sight."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    return tmp_path / "asyncconsole"


@pytest.fixture
def program(runtime):
    """``program(option=...)`` starts tests/serve/host.py and gives a `Program`."""
    started = []

    def start(**options):
        process = subprocess.Popen(
            [sys.executable, str(HERE / "host.py"), json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        started.append(process)
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        found = Program(process, json.loads(line))
        started[-1] = (process, found)
        return found

    yield start
    for process, found in started:
        for sock in found.clients:
            sock.close()
        if process.poll() is None:
            process.kill()
            process.communicate()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


@pytest.fixture
def run():
    """``run(source)`` runs Python source in a child process; its stdout, checked to end well."""

    def execute(source, *, python=sys.executable, timeout=60.0, code=0, **env):
        done = subprocess.run(
            [python, "-W", "error", "-c", source],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            env=environment(**env),
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == code, done.stderr
        execute.errors = done.stderr
        return done.stdout

    return execute


def wait_until(condition, timeout=DEADLINE):
    """Poll ``condition`` until it holds."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
