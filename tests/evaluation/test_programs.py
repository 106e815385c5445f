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
NEVER_MOVES = {"parked", "runs"}


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
    chosen = [program for program in PROGRAMS if program.runs_on(OWN)]
    with ThreadPoolExecutor(4) as pool:
        for program, fates in zip(chosen, pool.map(really, chosen), strict=True):
            said = f"{program.name}: {fates}"
            assert fates, said
            for name in program.stuck:
                assert set(fates.get(name, ())) & NEVER_MOVES, said
                assert not {"ended", "moved"} & set(fates[name]), said
            assert not any(fates.get(name) == ["ended"] for name in program.bystanders), said


def really(program):
    """What becomes of each task in a second."""
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
    return json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
