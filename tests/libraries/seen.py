"""Running the programs of this folder, and reading what they print."""

from __future__ import annotations

import subprocess
from importlib import util
from pathlib import Path

import pytest

from tests.children import tell

HERE = Path(__file__).parent


def needs(python, *modules):
    """Skip, saying why, where an interpreter lacks a module."""
    found = "; ".join(f"import {module}" for module in modules)
    done = subprocess.run([python, "-c", found], capture_output=True, check=False, timeout=60)
    if done.returncode:
        pytest.skip(f"{' or '.join(modules)} is not installed for this interpreter")


def start(python, program, *arguments):
    """Run a program to its end; what it captured."""
    told = tell(python, HERE / program, *arguments)
    return {name: Seen(found) for name, found in told.items()}


def installed(module):
    """Whether the interpreter that runs pytest has it."""
    return util.find_spec(module) is not None


class Seen:
    """One capture of a child."""

    def __init__(self, found):
        self.findings = found["findings"]
        self.gaps = found["snapshot"]["gaps"]
        self.resources = found["snapshot"]["resources"]
        self.tasks = {task["name"]: task for task in found["snapshot"]["tasks"]}

    def pool(self):
        """The only pool."""
        (pool,) = [item for item in self.resources if item["unknown"] is not None]
        return pool

    def named(self, name):
        """The primitive of that name."""
        (item,) = [item for item in self.resources if item["name"] == name]
        return item

    def kinds(self):
        """What each task waits for, by name."""
        return {name: task["wait"]["kind"] for name, task in self.tasks.items() if task["wait"]}


def holders(item):
    """Tasks and how it is known that they hold it."""
    assert all(holder["certain"] for holder in item["holders"])
    return {holder["name"]: holder["how"] for holder in item["holders"]}


def waiters(item):
    """Names of the waiting tasks, in order."""
    assert [w["position"] for w in item["waiters"]] == list(range(1, len(item["waiters"]) + 1))
    return [waiter["name"] for waiter in item["waiters"]]


def sources(program, item):
    """The line of the program where each holder took it."""
    lines = (HERE / program).read_text().splitlines()
    assert all(Path(holder["file"]).name == program for holder in item["holders"])
    return {holder["name"]: lines[holder["line"] - 1].strip() for holder in item["holders"]}
