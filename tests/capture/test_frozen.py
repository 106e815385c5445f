"""Frozen copies of real programs, on every interpreter: what comes out, and what is left."""

import json
import sys
from pathlib import Path

import pytest

from tests.children import run
from tests.interpreters import INTERPRETERS

PROGRAM = Path(__file__).with_name("frozen_program.py")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="copies are made on Linux only")


def said(python, scenario):
    """What a scenario has found out; nothing else may stand on stderr."""
    done = run(python, PROGRAM, scenario, quiet=False)
    return done.stdout, json.loads(done.stderr)


@pytest.mark.parametrize("python", INTERPRETERS)
def test_manners_of_a_copy(python):
    printed, found = said(python, "manners")
    assert printed == "buffered, once\nexits once\n"
    assert found["hello"] == "hello"
    assert found["kept"] == 5
    assert found["eof"], "the copy kept a socket open, or was not there any more"
    assert "not done after 1 s" in found["deadline"]
    assert found["took"] < 1.9
    assert found["gone"]
    assert found["left"]
    assert "ZeroDivisionError" in found["raised"]
    assert "SystemExit" in found["exits"]
    assert "longer than 10000 bytes" in found["long"]
    assert "it is not forked" in found["big"]
    assert found["large"] == 9_000_000
    assert "is free" in found["full"]
    assert "at work" in found["busy"]
    assert found["same"] == [0, 0]
    assert found["children"] == []


@pytest.mark.parametrize("python", INTERPRETERS)
def test_children_of_the_program_are_its_own(python):
    _, found = said(python, "children")
    for answers, code, left in found["own"]:
        assert answers == ["ok"] * 20
        assert code == 3
        assert left == []
    assert found["early"]
    assert found["children"] == []


@pytest.mark.parametrize("python", INTERPRETERS)
def test_at_fork_functions_that_block(python):
    _, found = said(python, "hooks")
    assert "block in the program" in found["before"]
    assert 0.5 <= found["quick"] < 3
    assert "still blocked" in found["again"]
    assert found["after"] == found["last"] == "works again"
    assert "block in the child" in found["in_child"]
    assert found["children"] == []
