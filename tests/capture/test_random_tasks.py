"""Random programs of tasks and locks, compared with what they say of themselves.

Certain holders are right, whoever entered an ``async with`` is shown, queues are exact, and
nothing that is said to be stuck ever moves. ``RANDOM_TASKS_COUNT`` makes the run longer,
``RANDOM_TASKS_SEED`` another one.
"""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.capture import random_tasks
from tests.capture.test_nasty import RUNS, child
from tests.children import ENVIRONMENT
from tests.interpreters import CHECKOUT, INTERPRETERS

COUNT = os.environ.get("RANDOM_TASKS_COUNT", "8")
SEED = os.environ.get("RANDOM_TASKS_SEED", "0")


@pytest.mark.parametrize(("python", "kind"), RUNS)
def test_by_seed(python, kind):
    found = child(python, "random_house", kind, "seeds", SEED, COUNT)
    assert found["wrong"] == []
    assert found["logged"] == []
    total = found["total"]
    assert total["certain right"] > 4 * int(COUNT)
    assert total["waiters"] > 3 * int(COUNT)
    assert total["programs"] == int(COUNT)


class Player:
    """A child process that plays the programs it is sent."""

    def __init__(self, python):
        self.process = subprocess.Popen(
            [python, "-W", "ignore", "-m", "tests.capture.random_house", "asyncio", "serve"],
            cwd=CHECKOUT,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def play(self, source, tasks, seed):
        self.process.stdin.write(
            json.dumps({"source": source, "tasks": tasks, "seed": seed}) + "\n"
        )
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def players():
    made = {parameter.id: Player(parameter.values[0]) for parameter in INTERPRETERS}
    yield made
    for player in made.values():
        player.close()


def is_python(source):
    """Whether it compiles: no compiler takes more than twenty blocks inside each other."""
    try:
        compile(source, "", "exec")
    except SyntaxError:
        return False
    return True


def test_by_search(players):
    """Hypothesis looks for a program of which something is told wrongly, and makes it small."""

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.randoms(use_true_random=False), st.integers(0, 1000), st.sampled_from(list(players)))
    def search(chance, seed, version):
        source, tasks = random_tasks.write(chance, groups=version != "3.10")
        assume(is_python(source))
        found = players[version].play(source, tasks, seed)
        assert found["wrong"] == [], (version, seed, source)
        assert found["logged"] == []

    search()
