"""A full dump at a signal: while the loop is blocked, of any kind, and nobody else's signal lost."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests import children
from tests.interpreters import INTERPRETERS, runs

pytestmark = pytest.mark.alone

CHILD = Path(__file__).with_name("signal_child.py")


@pytest.fixture
def told(tmp_path, monkeypatch):
    """``told(scenario, python, kind)``: what a program saw."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setitem(children.ENVIRONMENT, "XDG_RUNTIME_DIR", str(tmp_path))

    def tell(scenario, python, kind="asyncio"):
        own = ("-W", "ignore::DeprecationWarning:__main__")  # 3.12+ warns of a fork beside threads
        return children.tell(python, *own, CHILD, scenario, tmp_path, kind)

    return tell


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_while_the_loop_is_blocked(told, python, kind):
    seen = told("blocked", python, kind)
    blocks = ["asleep", "locked", "with_locked", "queued", "joining", "receiving", "busy"]
    assert seen["in_time"] == dict.fromkeys(blocks, True)
    whole = seen["text"].split("== end of dump")
    assert len(whole) == len(blocks) + 1
    for block, text in zip(blocks, whole, strict=False):
        verdict = text.split("-- Loops")[0]
        assert re.search(rf"stall \(.*signal_child.py:\d+ in {block}", verdict, re.DOTALL), text
        assert f" {block}" in text.split("-- Threads")[1]
        assert "signaled.py" not in text  # the handler is on no stack any more


@pytest.mark.parametrize("python", INTERPRETERS)
def test_a_burst_of_signals_is_few_dumps(told, python):
    assert told("burst", python)["dumps"] in {2, 3}


@pytest.mark.parametrize("python", INTERPRETERS)
def test_handlers_of_the_program_stay_the_programs(told, python):
    assert told("handlers", python) == {
        "ours": True,
        "default": True,
        "chained": True,
        "restored": True,
        "left_alone": True,
        "closed_elsewhere": True,
        "wakeup_fd": True,
        "dumps": 1,
    }


@pytest.mark.parametrize("python", INTERPRETERS)
def test_closed_in_another_thread_the_default_action_comes_back(python, tmp_path):
    done = subprocess.run(
        [python, CHILD, "closed_elsewhere", tmp_path],
        env={**children.ENVIRONMENT, "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGUSR1, done


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_signals_of_others_are_declined_with_one_line(told, python, kind):
    seen = told("declined", python, kind)
    assert seen["other_thread"]
    assert seen["other_thread_log"].count("\n") == 1
    assert "not called in the main thread" in seen["other_thread_log"]
    assert "loop.add_signal_handler()" in seen["loops_log"]
    assert seen["dumps"] == 0


@pytest.mark.parametrize("python", INTERPRETERS)
def test_a_dump_that_can_not_go_where_it_should_goes_elsewhere(told, python):
    seen = told("nowhere", python)
    assert seen["stderr_instead"] == 1
    assert seen["spare"]
    assert seen["mode"] == "0o600"
    assert "the dump went to stderr" in seen["log"]
    assert ".dump.txt (" in seen["log"]


@pytest.mark.parametrize("python", INTERPRETERS)
def test_nobody_reads_it(told, python):
    assert told("unread", python) == {"answers": True}


@pytest.mark.parametrize("python", INTERPRETERS)
def test_a_forked_child(told, python):
    assert told("forked", python) == {"child": 0, "parents": 0, "goes_on": True}


@pytest.mark.parametrize("python", INTERPRETERS)
def test_inside_an_import_there_are_at_least_the_stacks(told, python):
    seen = told("importing", python)
    assert seen["in_time"]
    assert "StuckImportError" in seen["text"]
    assert "in importing" in seen["text"]


def test_arguments_and_environment(told):
    said = told("arguments", INTERPRETERS[0].values[0])
    for name in ("kill", "term", "none", "number"):
        assert "give True, SIGUSR1, SIGUSR2 or SIGQUIT" in said[name]
    assert "there is no folder" in said["folder"]
    assert "dump_file without dump_signal" in said["alone"]
    assert said["environment"]
    assert said["switch"]
    assert said["off"]
    assert said["rubbish"]
    assert said["log"].count("ASYNCCONSOLE_DUMP_SIGNAL: dump_signal='rubbish'") == 1
