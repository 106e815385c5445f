"""The programs of the evaluation do what they say of themselves, with no console in them."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from asyncconsole.model import schema
from tests.children import ENVIRONMENT
from tests.evaluation.program import FOLDER, programs
from tests.interpreters import OWN

TRUTH = FOLDER.parent / "truth.py"
ITEM = schema.load("diagnosis")["properties"]["findings"]["items"]["properties"]
PROGRAMS = programs()
GO_ON = {
    "gil_holding_c_call",
    "cancel_swallowed",
    "busy_callbacks",
    "loop_starved",
    "cpu_bound",
    "shield_misuse",
}
"""Kinds whose tasks may step and step, and yet get nowhere."""


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_it_says_what_it_expects(program):
    kind, _, slug = program.name.partition("__")
    assert kind == program.kind
    assert {program.kind, *program.also} <= set(ITEM["kind"]["enum"])
    assert program.verdicts <= set(ITEM["verdict"]["enum"])
    assert program.healthy == slug.endswith("_healthy")
    assert program.healthy == (not program.verdicts)
    assert not program.stuck & program.bystanders


@pytest.mark.timeout(400)
def test_what_hangs_hangs_and_the_rest_goes_on():
    """Healthy ones need to get READY, and not to end: what they do takes longer to see."""
    chosen = [program for program in PROGRAMS[1::5] if program.runs_on(OWN)]  # it takes minutes
    with ThreadPoolExecutor(4) as pool:
        wrong = [
            f"{program.name}: {said}"
            for program, said in zip(chosen, pool.map(really, chosen), strict=True)
            if not true(program, said)
        ]
    assert not wrong, "\n".join(wrong)


def true(program, said):
    """Whether this is what a program says of itself."""
    fates, blocked = said
    if not fates or (program.healthy and blocked):
        return False
    still = {"parked", "runs", *(["moved"] if program.kind in GO_ON else [])}
    return all(set(fates.get(name, ["ended"])) <= still for name in program.stuck) and not any(
        fates.get(name) == ["ended"] for name in program.bystanders
    )


def really(program):
    """What becomes of each task in a second, and whether a loop is blocked."""
    done = subprocess.run(
        [sys.executable, TRUTH, program.path, "asyncio", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env=ENVIRONMENT,
        encoding="utf-8",
        timeout=100,
        check=False,
    )
    lines = done.stdout.splitlines()
    told = [line for line in lines if line.startswith("TRUTH ")]
    return json.loads(told[0].partition(" ")[2]) if told else {}, "BLOCKED" in lines
