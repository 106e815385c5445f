"""Records, the directory they lie in, and what is not trusted."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from asyncconsole.serve import discovery


def record(pid, **changes):
    facts = {
        "started": discovery.started(pid),
        "argv": ("python", "bank.py"),
        "cwd": "/app",
        "host": "127.0.0.1",
        "port": 50101,
        "socket": None,
        "version": "0.1",
        "at": "2026-01-01T00:00:00Z",
    }
    return discovery.Record(pid=pid, **{**facts, **changes})


def test_a_record_is_found_again_and_is_private(runtime):
    mine = record(os.getpid())
    path = discovery.write(discovery.prepare(), mine)
    assert path.stat().st_mode & 0o777 == 0o600
    assert runtime.stat().st_mode & 0o777 == 0o700
    assert discovery.records() == [mine]
    assert json.loads(path.read_text())["schema"] == "asyncconsole/console/1"


def test_records_of_dead_processes_are_swept_away(runtime):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    path = discovery.write(discovery.prepare(), record(dead.pid, started=1))
    path.with_suffix(".sock").touch()
    assert discovery.records() == []
    assert list(runtime.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="tells start times by /proc")
def test_a_later_process_with_the_same_pid_is_another(runtime):
    discovery.write(discovery.prepare(), record(os.getpid(), started=1))
    assert discovery.records() == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": "asyncconsole/console/1"}', "\x00\xff", "[" * 100_000]
)
def test_foreign_files_are_passed_over(runtime, text):
    path = discovery.prepare() / f"{os.getpid()}.json"
    path.write_text(text, encoding="latin-1")
    assert discovery.records() == []
    assert path.exists()


def test_a_directory_open_to_others_is_not_used(runtime, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    runtime.mkdir(mode=0o755)
    with pytest.raises(OSError, match="nowhere"):
        discovery.prepare()
    assert "open to others" in discovery.private(runtime)


def test_a_symbolic_link_is_not_followed(runtime, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    runtime.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="nowhere"):
        discovery.prepare()
    assert "not a directory" in discovery.private(runtime)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make another user's directory")
def test_another_users_directory_is_not_used(runtime):
    runtime.mkdir(mode=0o700)
    os.chown(runtime, 65534, 65534)
    assert "belongs to uid 65534" in discovery.private(runtime)


def test_the_temporary_directory_serves_where_there_is_no_runtime_directory(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert discovery.prepare() == tmp_path / f"asyncconsole-{os.geteuid()}"
