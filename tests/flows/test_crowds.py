"""Programs whose tasks become more and more, and those in which they are merely many."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from asyncconsole.diagnose import look
from tests.children import connect
from tests.diagnose.build import lock_wait, snapshot, task
from tests.flows import crowds
from tests.flows.test_programs import running
from tests.interpreters import present

PROGRAM = Path(__file__).parent / "crowds.py"
HEALTHY = sorted(name for name in vars(crowds) if name.startswith("ok_"))
HANGS = ("queued", "forgotten")
GROWING = ((3.0, 200), (2.0, 400), (1.0, 600), (0.5, 700), (0.1, 800))


def findings(port, valid):
    time.sleep(4)
    done = connect(port, "doctor", options=("--json", "--timeout", "60"), timeout=90)
    assert done.returncode == 0, done.stderr
    return [
        item
        for item in valid(json.loads(done.stdout))["findings"]
        if item["verdict"] != "stall"  # the machine of the test may be busy
    ]


def judge(name, found):
    if name not in HANGS:
        assert found == []
        return
    (finding,) = found
    assert (finding["kind"], finding["verdict"]) == ("unbounded_fan_out", "leak")
    assert not finding["proven"]
    assert "more each second" in finding["summary"]
    if name == "queued":
        assert [item["name"] for item in finding["resources"]] == ["SLOTS"]
        assert "run upload" in finding["summary"]
        assert [t["role"] for t in finding["tasks"]].count("holder") == 2
    else:
        assert "run store" in finding["summary"]


@pytest.mark.parametrize("name", [*HANGS, *HEALTHY])
def test_program(name, valid):
    with running(sys.executable, PROGRAM, name) as port:
        judge(name, findings(port, valid))


@pytest.mark.parametrize(
    ("version", "loop"), [("3.10", "asyncio"), ("3.12", "uvloop"), ("3.14", "asyncio")]
)
@pytest.mark.parametrize("name", ["queued", "ok_large_gather"])
def test_on_other_versions_and_loops(version, loop, name, valid):
    python = present().get(version)
    if python is None:
        pytest.skip(f"there is no CPython {version} here")
    with running(python, PROGRAM, name, loop) as port:
        judge(name, findings(port, valid))


def many(growth, *, count=800, kind="semaphore"):
    waiting = [task(n, f"t{n}", lock_wait("S", token=n, kind=kind)) for n in range(2, count)]
    found = snapshot(task(1, "holder", holds=("S",)), *waiting, kinds={"S": "Semaphore"})
    return [item.kind for item in look(replace(found, growth=growth)).findings]


def test_a_queue_that_grows():
    assert many(GROWING) == ["unbounded_fan_out"]


@pytest.mark.parametrize(
    "growth",
    [
        (),
        GROWING[-3:],
        (*GROWING, (0.05, 790)),
        tuple((ago, 800) for ago, _ in GROWING),
        ((3.0, 100), (2.0, 101), (1.0, 102), (0.5, 799), (0.1, 800)),
    ],
    ids=["unknown", "too short", "it shrinks", "it stays", "a burst"],
)
def test_a_queue_that_does_not(growth):
    assert many(growth) == []


def test_few_are_no_crowd():
    assert many(GROWING, count=300) == []
