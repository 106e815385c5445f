"""Every scenario of a session, on every interpreter and on uvloop, in child processes.

One child plays all scenarios; each scenario is a test of its own.
"""

from __future__ import annotations

import functools
import json
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.interpreters import CHECKOUT, INTERPRETERS
from tests.repl.scenarios import SCENARIOS

DEADLINE = 150


@functools.cache
def _has_uvloop(python: str) -> bool:
    done = subprocess.run(
        [python, "-c", "import uvloop"], check=False, capture_output=True, timeout=60
    )
    return done.returncode == 0


@functools.cache
def _played(python: str, loop: str) -> tuple[dict[str, str], str, str, str]:
    """Results by scenario, and what the child left of its stdin and wrote to stdout, stderr."""
    with tempfile.TemporaryDirectory() as folder:
        report, typed = Path(folder) / "report.json", Path(folder) / "stdin"
        typed.write_text("untouched\n")
        words = [python, "-W", "error", "-m", "tests.repl.scenarios", str(report)]
        with typed.open() as stdin:
            child = subprocess.run(
                words + (["uvloop"] if loop == "uvloop" else []),
                check=False,
                cwd=CHECKOUT,
                stdin=stdin,
                capture_output=True,
                text=True,
                timeout=DEADLINE,
            )
            stdin.seek(0, 1)
            rest = stdin.read()  # the child shares the file's position
        results = json.loads(report.read_text()) if report.exists() else {}
        assert child.returncode == 0, child.stderr
        return results, rest, child.stdout, child.stderr


@pytest.fixture(params=["asyncio", "uvloop"])
def played(request, python):
    if request.param == "uvloop" and not _has_uvloop(python):
        pytest.skip("no uvloop for this interpreter")
    return _played(python, request.param)


@pytest.mark.timeout(DEADLINE + 30)
@pytest.mark.parametrize("python", INTERPRETERS)
@pytest.mark.parametrize("scenario", list(SCENARIOS))
def test_scenario(played, scenario) -> None:
    assert scenario in played[0], "not played"
    assert not played[0][scenario], played[0][scenario]


@pytest.mark.timeout(DEADLINE + 30)
@pytest.mark.parametrize("python", INTERPRETERS)
def test_the_programs_own_stdin_stdout_stderr_are_untouched(played) -> None:
    _results, stdin, stdout, stderr = played
    assert stdin == "untouched\n"
    assert stdout == ""
    assert stderr == ""
