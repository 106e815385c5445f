"""Without the GIL a loop's tasks are read in its own thread, or not at all.

No free-threaded Python is among the interpreters; each of them is made to say that it is one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.children import tell
from tests.interpreters import INTERPRETERS

PROGRAM = Path(__file__).with_name("hop_child.py")
ONE = ["one-0", "one-1", "one-main"]
TWO = ["two-0", "two-1", "two-main"]


@pytest.mark.parametrize("python", INTERPRETERS)
def test_each_loop_is_read_in_its_own_thread(python) -> None:
    found = tell(python, PROGRAM)
    assert found["wrong"] == []
    threads = ["threads", "without the GIL the stacks of threads that run can't be read"]
    for name in ("free", "again"):
        assert found[name]["tasks"] == ONE + TWO
        assert found[name]["total"] == 6
        assert found[name]["counts"] == [3, 3]
        assert found[name]["gaps"] == [threads]
        assert sorted(found[name]["holders"]) == [["one-0"], ["two-0"]]
    assert found["free"]["waits"] == {
        "one-0": "future", "one-1": "lock", "one-main": "wait",
        "two-0": "future", "two-1": "lock", "two-main": "wait",
    }  # fmt: skip
    blocked = found["blocked"]
    assert blocked["tasks"] == ONE
    why = (
        "it has not run a callback for 1 s, and without the GIL its tasks can only be read "
        "in its own thread"
    )
    assert blocked["gaps"] == [threads, ["loop 2", why]]
    assert found["inside"]["tasks"] == sorted([*ONE, *TWO, "inside"])
    assert found["diagnosis"] == 0
