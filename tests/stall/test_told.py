"""Those who are told of stalls, by a probe of their own, in real programs."""

from __future__ import annotations

import json
import logging
import math
import sys
import threading
import time
from pathlib import Path

import pytest

import asyncconsole
from asyncconsole.model import Frame, Stall
from asyncconsole.stall.courier import WAITING, Courier, settle
from asyncconsole.stall.log import CULPRITS, LOG, REST, StallLog
from asyncconsole.stall.news import News
from tests.children import tell
from tests.interpreters import runs

pytestmark = pytest.mark.alone

PROGRAM = Path(__file__).with_name("told.py")


def told(scenario, python=sys.executable, kind="asyncio", *words):
    """What a scenario has returned."""
    own = ("-W", "ignore::DeprecationWarning:__main__")
    return tell(python, *own, PROGRAM, scenario, kind, *words)


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_before_any_loop_and_for_several(python, kind):
    found = told("before", python, kind)
    assert found["heard"] == [
        [1, True, "culprit", "time.sleep"],
        [1, False, "culprit", "time.sleep"],
        [2, True, "second", "time.sleep"],
        [2, False, "second", "time.sleep"],
    ]
    assert "loop 1 is blocked, " in found["summaries"][0]
    assert "loop 1 was blocked for " in found["summaries"][1]
    assert all("told.py:" in text and " nap → time.sleep" in text for text in found["summaries"])
    assert found["threads"] == ["asyncconsole on_stall"]
    assert found["stalls"] == [[1, False], [2, False]]
    assert found["left"] == ["MainThread"]
    assert found["files"] == 0
    assert found["closed"]
    assert found["log"] == []


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_inside_a_loop_and_for_that_of_another_thread(python, kind):
    found = told("inside", python, kind)
    assert [name for _, ongoing, name, _ in found["heard"] if not ongoing] == [
        "culprit",
        "elsewhere",
    ]
    assert len(found["loops"]) == 2
    assert not [name for name in found["left"] if name.startswith("asyncconsole")]


@pytest.mark.parametrize(("python", "kind"), runs("asyncio"))
def test_all_stacks_of_a_stall_with_their_counts(python, kind):
    found = told("two_places", python, kind)
    assert found["most"]
    assert found["counts"] == sorted(found["counts"], reverse=True)
    assert sum(found["counts"]) == found["samples"]
    assert {"nap", "spin"} <= set(found["functions"])


def test_a_callback_that_fails_is_complained_of_once_and_called_again():
    found = told("raising")
    assert found["calls"] == [True, False, True, False]
    ((name, level, text),) = found["log"]
    assert (name, level) == ("asyncconsole", "ERROR")
    assert "on_stall" in text


def test_a_callback_that_blocks_stops_neither_the_probe_nor_its_end():
    found = told("stuck")
    assert found["stalls"] == 2
    assert found["took"] < 5


@pytest.mark.parametrize(("python", "kind"), runs("asyncio"))
def test_stalls_are_logged_with_the_stack_and_not_too_often(python, kind):
    found = told("logged", python, kind)
    first, last = found["log"]
    assert first[:2] == last[:2] == ["asyncconsole.stalls", "WARNING"]
    assert found["ids"] == [1, 1]
    assert first[2].startswith("loop 1 is blocked, ")
    assert "told.py:" in first[2].splitlines()[0]
    assert "time.sleep(BLOCK)  # the call" in first[2]
    assert last[2].startswith("loop 1 was blocked for ")
    assert "\n" not in last[2]


@pytest.mark.parametrize(("python", "kind"), runs("asyncio"))
def test_lines_of_json(tmp_path, valid, python, kind):
    path = tmp_path / "stalls.jsonl"
    found = told("lines", python, kind, path)
    first, second = [valid(text) for text in path.read_text().splitlines()]
    assert [first["id"], second["id"]] == [1, 2]
    assert first["schema"] == "asyncconsole/stall/1"
    assert first["frame"]["function"] == "nap"
    assert first["duration"] >= 0.4
    ((name, level, text),) = found["log"]  # of two that could not be written
    assert (name, level) == ("asyncconsole", "ERROR")
    assert "stall_log" in text
    assert str(path) in text


def test_a_forked_child_has_none_and_may_have_its_own():
    found = told("forked")
    assert found["child"] == 0
    assert [ongoing for _, ongoing, _, _ in found["heard"]] == [True, False]


@pytest.mark.parametrize(("python", "kind"), runs("asyncio"))
def test_beside_a_console_and_each_other(python, kind):
    found = told("beside", python, kind)
    assert found["loops"] == [1, 1]
    assert [one.count("culprit") for one in found["heard"]] == [4, 2, 4]
    assert found["left"] == ["MainThread"]
    assert set(found["log"]) == {"asyncconsole.stalls"}  # a threshold was given to the console


def test_nobody_closes_it():
    assert told("unclosed") == {"stalls": 1}


@pytest.mark.parametrize("threshold", [0, -1, math.inf, math.nan])
def test_a_threshold_must_be_some_seconds(threshold):
    with pytest.raises(ValueError, match="threshold="):
        asyncconsole.StallProbe(threshold=threshold)


async def _later(stall):
    """No plain function."""


@pytest.mark.parametrize("wrong", [{"on_stall": 3}, {"on_stall": _later}, {"stall_log": 3}])
@pytest.mark.parametrize("make", [asyncconsole.StallProbe, asyncconsole.start])
def test_what_can_not_be_told_is_refused(make, wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}="):
        make(**wrong)


NOW = "2026-01-01T00:00:00Z"


def stall(number, *, line=1, ongoing=False, duration=1.0):
    frame = Frame("/app/ledger.py", line, "read")
    return Stall(number, 1, NOW, duration, ongoing, "blocking_call", 7, "import", frame)


@pytest.fixture
def records():
    """What is logged of stalls."""
    found = []

    class Keep(logging.Handler):
        def emit(self, record):
            found.append(record.getMessage())

    handler = Keep()
    LOG.addHandler(handler)
    propagated, LOG.propagate = LOG.propagate, False
    yield found
    LOG.removeHandler(handler)
    LOG.propagate = propagated


def test_the_log_counts_what_it_withholds(records, monkeypatch):
    log = StallLog()
    for number in range(1, 5):
        log(stall(number, ongoing=True))
        log(stall(number))
    log(stall(5, line=2))
    assert [text.split(":")[0] for text in records] == [
        "loop 1 is blocked, 1.00 s so far",
        "loop 1 was blocked for 1.00 s",
        "loop 1 was blocked for 1.00 s",  # the other line
    ]
    monkeypatch.setattr("asyncconsole.stall.log.REST", 0.0)
    log(stall(6))
    assert "(3 more with this culprit were not logged)" in records[-1]


def test_the_log_tells_of_a_long_stall_in_any_case(records):
    log = StallLog()
    log(stall(1))
    log(stall(2, ongoing=True))
    log(stall(2, ongoing=True, duration=REST))
    log(stall(2, duration=REST + 1))
    assert [text.split(":")[0] for text in records] == [
        "loop 1 was blocked for 1.00 s",
        "loop 1 is blocked, 10.00 s so far",
        "loop 1 was blocked for 11.00 s",
    ]


def test_the_log_remembers_so_many_culprits(records):
    log = StallLog()
    for number in range(2 * CULPRITS):
        log(stall(number, line=number))
    assert len(log._said) == CULPRITS
    assert len(records) == 2 * CULPRITS


def test_a_listener_that_fails_is_logged_once_and_harms_no_other(caplog):
    news, heard = News(), []

    def fail(stall):
        raise RuntimeError(stall)

    news.listen(fail)
    news.listen(heard.append)
    for number in (1, 2):
        news.over(stall(number))
        news.tell(0.0)
    assert [item.id for item in heard] == [1, 2]
    assert len(caplog.records) == 1


def test_what_waits_for_a_slow_receiver_is_bounded_and_counted(caplog):
    gate, got = threading.Event(), []

    def receive(stall):
        gate.wait(20)
        got.append(stall.id)

    courier = Courier(receive, "slow")
    courier(stall(0))
    while courier._queue:  # until it has been taken
        time.sleep(0.001)
    for number in range(1, WAITING + 11):
        courier(stall(number))
    gate.set()
    settle()
    assert got == [0, *range(11, WAITING + 11)]
    assert [record.getMessage() for record in caplog.records] == [
        "slow is slow: 10 stalls did not reach it."
    ]
    assert not courier._busy
    assert not [thread for thread in threading.enumerate() if "slow" in thread.name]


def test_where_no_thread_can_be_had_stalls_wait_for_the_end(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    got = []
    courier = Courier(got.append, "late")
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        courier(stall(1))
        courier(stall(2))
    assert got == []
    courier.finish()
    assert [item.id for item in got] == [1, 2]
    courier.finish()
    assert len(got) == 2


def test_the_documents_of_a_stall_agree(valid):
    document = stall(1).document()
    valid({"schema": "asyncconsole/stalls/1", "stalls": [document]})
    valid({"schema": "asyncconsole/stall/1", "pid": 1, **json.loads(json.dumps(document))})
