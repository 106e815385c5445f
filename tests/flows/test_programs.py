"""Programs around streams and child processes that hang, and their healthy twins."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.children import ENVIRONMENT, connect
from tests.flows import programs
from tests.interpreters import present

HERE = Path(__file__).parent
BOTH_WRITE = {"client", "server"}
HANGS = {
    "both_write": ("mutual_backpressure", BOTH_WRITE),
    "echo": ("mutual_backpressure", BOTH_WRITE),
    "unix": ("mutual_backpressure", BOTH_WRITE),
    "socket_pair": ("mutual_backpressure", BOTH_WRITE),
    "bare_sockets": ("mutual_backpressure", BOTH_WRITE),
    "objects": ("mutual_backpressure", BOTH_WRITE),
    "wait_full": ("subprocess_pipe", {"runner"}),
    "wait_full_awaited": ("subprocess_pipe", {"runner"}),
    "wait_full_stderr": ("subprocess_pipe", {"runner"}),
    "both_first": ("subprocess_pipe", {"runner"}),
}
HEALTHY = sorted(name for name in vars(programs) if name.startswith("ok_"))
ELSEWHERE = [
    (version, loop, name)
    for version, loop in (("3.10", "asyncio"), ("3.12", "uvloop"), ("3.14", "asyncio"))
    for name in (
        "both_write",
        "socket_pair",
        "wait_full",
        "both_first",
        "ok_slow_reader",
        "ok_lines",
    )
]


@contextmanager
def running(python, program, *arguments):
    """A program with a console; gives the console's port."""
    process = subprocess.Popen(
        [python, program, *arguments],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a child that loses its pipe complains there
    )
    try:
        port = process.stdout.readline().decode().strip()
        if not port and "uvloop" in arguments:
            pytest.skip("uvloop is not installed for this interpreter")
        yield port
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=20)


def verdict(port, valid):
    done = connect(port, "deadlocks", options=("--json",))
    assert done.returncode == 0, done.stderr
    return valid(json.loads(done.stdout))["findings"]


def judge(name, findings):
    assert all(item["verdict"] == "suspect" for item in findings)  # none of this can be proven
    if name not in HANGS:
        assert findings == []
        return
    kind, stuck = HANGS[name]
    (finding,) = findings
    assert (finding["kind"], finding["verdict"]) == (kind, "suspect")
    roles = {role: set() for role in ("stuck", "victim")}
    for task in finding["tasks"]:
        roles[task["role"]].add(task["name"])
    assert roles["stuck"] == stuck
    assert roles["victim"] == ({"main"} if name == "wait_full_awaited" else set())
    assert "no task that refers to" in finding["assumes"]
    assert "programs.py:" in finding["summary"]
    assert name == "bare_sockets" or "lie unread" in " ".join(finding["evidence"])


@pytest.mark.parametrize("name", [*HANGS, *HEALTHY])
def test_program(name, valid):
    with running(sys.executable, HERE / "programs.py", name) as port:
        judge(name, verdict(port, valid))


@pytest.mark.parametrize(("version", "loop", "name"), ELSEWHERE)
def test_on_other_versions_and_loops(version, loop, name, valid):
    python = present().get(version)
    if python is None:
        pytest.skip(f"there is no CPython {version} here")
    with running(python, HERE / "programs.py", name, loop) as port:
        judge(name, verdict(port, valid))
