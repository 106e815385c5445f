"""PostgreSQL and Redis for a test: own folder, own port, loopback only, stopped at the end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE = 60


def find_postgres():
    """The folder of PostgreSQL's programs, the newest version first; None without one."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"),
        key=lambda path: int(path.parent.parent.name),
        reverse=True,
    )
    if found:
        return found[0].parent
    on_path = shutil.which("postgres")
    return Path(on_path).parent if on_path else None


def find_redis():
    """Path of a Redis server, or None."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


def _as_nobody():
    """What to put before a command: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--"]


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def postgres():
    """A running PostgreSQL; gives its URL."""
    programs = find_postgres()
    folder = Path(tempfile.mkdtemp(prefix="asyncconsole-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody", "nogroup")
        data = folder / "data"
        made = subprocess.run(
            [*_as_nobody(), programs / "initdb", "-D", data, "-A", "trust", "-U", "test", "-N"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        port = _free_port()
        settings = ("fsync=off", "max_connections=60", "shared_buffers=8MB")
        options = [word for setting in settings for word in ("-c", setting)]
        command = [programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", ""]
        # SIGTERM would wait for clients to go.
        with _running([*_as_nobody(), *command, *options], folder, port, signal.SIGINT):
            _until(lambda: _answers(programs, port), "PostgreSQL does not answer")
            yield f"postgresql://test@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(programs, port):
    command = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(command, check=False, timeout=PATIENCE).returncode == 0


@contextmanager
def redis():
    """A running Redis; gives its port."""
    folder = Path(tempfile.mkdtemp(prefix="asyncconsole-redis-"))
    port = _free_port()
    command = [find_redis(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    try:
        with _running([*command, "--save", "", "--appendonly", "no"], folder, port):
            yield port
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(command, folder, port, stop=signal.SIGTERM):
    """A server process that accepts connections, ended afterwards."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        _until(
            lambda: process.poll() is not None or _accepts(port), f"{command[0]} does not listen"
        )
        assert process.poll() is None, (folder / "log").read_text()
        yield process
    finally:
        process.send_signal(stop)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _accepts(port):
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)
