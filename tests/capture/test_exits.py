"""Who is inside of what, read from suspended frames: never a false one, on any version."""

from __future__ import annotations

import functools
import os
import subprocess
import sys

import pytest

from tests.children import tell
from tests.interpreters import INTERPRETERS

every_python = pytest.mark.parametrize("python", INTERPRETERS)


@functools.cache
def run(python: str, module: str, *arguments: str) -> dict | list:
    """What the program next to this file says, run on that interpreter."""
    return tell(python, "-m", f"tests.capture.{module}", *arguments)


def version(python: str) -> tuple[int, int]:
    """Major and minor of an interpreter."""
    code = "import sys; print(*sys.version_info[:2])"
    out = subprocess.run(
        [python, "-c", code], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    major, minor = map(int, out.split())
    return major, minor


@every_python
def test_every_construct(python):
    report = run(python, "constructs")
    assert len(report["cases"]) > 50
    for name, seen in report["cases"].items():
        assert seen["false"] == [], name
        assert seen["exact"] > 0, name
        if name not in report["partly"]:
            assert (seen["unknown"], seen["missing"]) == (0, 0), (name, seen["notes"])


@every_python
def test_loops_frames_that_cannot_be_read_and_references(python):
    report = run(python, "constructs")
    inlined = [2] if version(python) >= (3, 12) else []
    assert report["iterators"]["seen"] == [
        *([], [0], [0, 1], [0, 1], [0, 1], [0, 1], []),
        *(inlined, inlined, [], []),
    ]
    assert [what for what, right in report["unreadable"].items() if not right] == []
    assert report["references"] == {"inside": 1, "after": 0}


@every_python
def test_random_programs(python):
    """Thousands of suspensions in programs that nobody would write."""
    first = os.environ.get("RANDOM_PROGRAMS_SEED", "0")
    report = run(python, "random_programs", first, "180")
    total = report["total"]
    assert report["false"] == []
    assert total["exact"] > 3000
    assert total["missing"] == 0
    assert total["unknown"] < total["exact"] / 100, report["notes"]


@every_python
def test_lines_and_spans(python):
    source, target = 'accounts["src"]', 'accounts["dst"]'
    either = f"{source} if flag else {target}"
    expected = [
        [["src", 2, True, source], ["dst", 2, True, target]],
        [["src", 5, True, source], ["dst", 6, True, 'accounts[ "dst" ]']],
        [["src", 11, True, f"await nop({source})"], ["dst", 11, True, target]],
        # Up to 3.12 there is no position for it, but that of the statement.
        [["src", 13, True, either if version(python) >= (3, 13) else None]],
        [["ä", 15, False, 'h.s("ä", held)'], ["ß", 15, False, 'h.s("ß", held)']],
        [["src", 16, True, source], ["dst", 18, True, 'accounts[ "dst"]']],
    ]
    if version(python) < (3, 11):
        expected = [[[*item[:3], None] for item in items] for items in expected]
    assert run(python, "exits_child", "lines") == expected


@every_python
def test_another_thread_reads_while_the_frames_run(python):
    report = run(python, "exits_child", "threads")
    assert report["wrong"] == []
    assert len(report["answers"]) > 1


@every_python
def test_nothing_of_the_program_is_called(python):
    assert run(python, "exits_child", "hostile") == [1, 0, 2, 0]


@every_python
def test_equal_code_objects_and_a_bounded_cache(python):
    report = run(python, "exits_child", "equal_codes")
    assert report == {"equal": True, "separate": True, "bounded": True, "kept": True}


@every_python
def test_a_traced_program(python):
    report = run(python, "exits_child", "traced")
    assert report["false"] == 0
    assert report["unknown"] < 10


def test_an_unknown_interpreter_gives_no_answer():
    assert run(sys.executable, "exits_child", "unknown_version") == [None, []]


@every_python
def test_a_wrong_reader_is_caught(python):
    """These tests can fail: readers broken on purpose do."""
    assert run(python, "exits_child", "all_on_stack")["false"] > 100
    assert run(python, "exits_child", "inner_lost")["missing"] > 100
