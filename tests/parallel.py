"""The suite on two cores: which tests go together on a worker, and which need the machine alone.

A test marked ``alone`` measures time, or judges what a loaded machine would change; it runs
while no other test does. All others run beside each other, one on each worker.
"""

from __future__ import annotations

import fcntl
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

FIRST = ("tests/evaluation/", "tests/flows/", "tests/diagnose/test_wakes.py")
"""What takes longest, so that no worker is left with it at the end."""


def unit(nodeid: str) -> str:
    """What a worker is given at once: the tests of a file that are for one interpreter.

    They share what they have started.
    """
    version = re.search(r"\[(3\.\d+)", nodeid)
    return nodeid.split("::", 1)[0] + (version[1] if version else "")


class Scheduling(LoadScopeScheduling):
    """Units in the order of collection, to whichever worker is free."""

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)


def order(items: list[pytest.Item]) -> None:
    """The longest first, whole units together; the same on every worker."""
    rank = {unit(item.nodeid): index for index, item in reversed(list(enumerate(items)))}
    items.sort(key=lambda item: (not item.nodeid.startswith(FIRST), rank[unit(item.nodeid)]))


class Turns:
    """Lets a test run when it may, of all that the workers of one run have to do.

    Args:
        run: What the run is called.
    """

    def __init__(self, run: str) -> None:
        stem = Path(tempfile.gettempdir()) / f"asyncconsole-tests-{run}"
        self._gate = stem.with_suffix(".gate").open("w")
        self._room = stem.with_suffix(".room").open("w")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        """Wait for the room; whoever wants it alone shuts the gate until it is empty."""
        alone = item.get_closest_marker("alone") is not None
        fcntl.flock(self._gate, fcntl.LOCK_EX)
        fcntl.flock(self._room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(self._gate, fcntl.LOCK_UN)
        try:
            return (yield)
        finally:
            fcntl.flock(self._room, fcntl.LOCK_UN)

    def pytest_unconfigure(self) -> None:
        """Leave no files."""
        for file in (self._gate, self._room):
            file.close()
            Path(file.name).unlink(missing_ok=True)
