"""`check`: one line and a code for liveness probes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.client.cli import client, complaint
from tests.client.fake import Server, answering, document, silent

if TYPE_CHECKING:
    from pathlib import Path

STALL = {
    "id": 7,
    "loop": 1,
    "ongoing": True,
    "duration": 4.1,
    "frame": {"file": "/srv/ledger.py", "line": 88, "function": "read_ledger"},
}
TOLD = {"verdict": "stall", "summary": "nightly blocks the loop", "stall_ids": [STALL["id"]]}
DEADLOCK = {"verdict": "deadlock", "summary": "a and b wait for each other"}


def program(
    lag: float | None = 0.0002,
    blocked: float | None = None,
    stalls: list[dict[str, Any]] | None = None,
    findings: list[dict[str, Any]] | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """A console of a program in that condition."""
    loop = {"id": 1, "tasks": 5, "lag": lag, "blocked": blocked}
    return {
        "loops --json": document({"loops": [loop]}),
        "stalls --json": document({"stalls": stalls or []}),
        "doctor --quick --json": document({"findings": findings or []}),
    }


@pytest.mark.parametrize(
    ("facts", "options", "code", "words"),
    [
        ({}, [], 0, "healthy: 1 loop, 5 tasks, lag 0.2 ms"),
        ({"lag": None}, ["--max-lag", "1"], 0, "healthy"),
        ({"findings": [{"verdict": "suspect", "summary": "odd"}]}, [], 0, "healthy"),
        ({"stalls": [{**STALL, "ongoing": False}]}, [], 0, "healthy"),
        ({"stalls": [STALL]}, [], 1, "stall: loop 1 blocked for 4.1 s at ledger.py:88 read_ledger"),
        ({"stalls": [STALL], "findings": [TOLD]}, [], 1, "stall: nightly blocks the loop"),
        ({"stalls": [{**STALL, "ongoing": False}], "findings": [TOLD]}, [], 0, "healthy"),
        ({"stalls": [{**STALL, "frame": None}]}, [], 1, "blocked for 4.1 s"),
        ({"blocked": 2.0}, [], 1, "stall: loop 1 blocked for 2.0 s"),
        ({"stalls": [STALL], "blocked": 4.2}, ["--max-lag", "5"], 0, "healthy"),
        ({"stalls": [STALL]}, ["--max-lag", "4"], 1, "stall"),
        ({"lag": 0.3}, ["--max-lag", "0.25"], 1, "late by 0.300 s, more than 0.25 s"),
        ({"lag": 0.3}, [], 0, "healthy"),
        ({"findings": [DEADLOCK]}, [], 1, "deadlock: a and b wait for each other"),
        ({"findings": [DEADLOCK, DEADLOCK]}, ["--max-lag", "9"], 1, "(and 1 more)"),
    ],
)
def test_verdicts(
    facts: dict[str, Any], options: list[str], code: int, words: str, tmp_path: Path
) -> None:
    with Server(answering(program(**facts))) as server:
        done = client(tmp_path, "check", server.address, *options)
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout.startswith("bank.py (pid 4242): ")
    assert done.stdout.count("\n") == 1
    assert words in done.stdout


def test_not_reachable_and_no_answer(tmp_path: Path) -> None:
    done = client(tmp_path, "check", "127.0.0.1:1")
    assert (done.returncode, done.stdout) == (3, "")
    assert "refused" in complaint(done)
    with Server(silent) as server:
        done = client(tmp_path, "check", server.address, "--timeout", "0.3")
    assert (done.returncode, done.stdout) == (4, "")
    complaint(done)


def test_a_command_that_fails_is_no_health(tmp_path: Path) -> None:
    answers = {**program(), "doctor --quick --json": [{"error": "too many tasks"}, {"done": 4}]}
    with Server(answering(answers)) as server:
        done = client(tmp_path, "check", server.address)
    assert (done.returncode, done.stdout) == (4, "")
    assert "too many tasks" in complaint(done)
