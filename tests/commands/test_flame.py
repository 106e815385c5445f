"""Stalls as folded stacks and as a flame graph, from stalls as plain data."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import pytest

from asyncconsole.commands import flame
from asyncconsole.commands.stalls import COMMAND
from asyncconsole.model import Frame, Stall
from asyncconsole.render import show

SVG = "{http://www.w3.org/2000/svg}"
LOOP = [
    Frame("/lib/python3/asyncio/runners.py", 190, "run"),
    Frame("/lib/python3/asyncio/base_events.py", 607, "BaseEventLoop._run_once"),
    Frame("/lib/python3/asyncio/events.py", 80, "Handle._run"),
]


def frame(function, line=1, file="/app/web.py", *, own=True):
    return Frame(file, line, function, own)


def stall(number, duration, *stacks, loop=1):
    made = tuple(((*LOOP, *frames), count) for frames, count in stacks)
    return Stall(
        number,
        loop,
        "2026-01-01T00:00:00Z",
        duration,
        ongoing=False,
        kind="blocking_call",
        task=None,
        task_name="",
        frame=None,
        samples=sum(count for _, count in stacks),
        stacks=made,
    )


def told(line, *stalls):
    """What the command prints."""
    words = line.split()[1:]
    target = SimpleNamespace(stalls=lambda: stalls)
    return show(asyncio.run(COMMAND.run(target, COMMAND.parse(words))), json=False)


TWO = (
    stall(1, 1.0, ([frame("main"), frame("read")], 3), ([frame("main"), frame("parse")], 1)),
    stall(2, 7.0, ([frame("main"), frame("read")], 1), loop=2),
)


def test_folded_stacks_have_the_time_that_was_spent_in_them():
    assert told("stalls --folded", *TWO).splitlines() == [
        "loop 1;main (web.py:1);parse (web.py:1) 250",
        "loop 1;main (web.py:1);read (web.py:1) 750",
        "loop 2;main (web.py:1);read (web.py:1) 7000",  # one sample: C code had the GIL
    ]
    assert len(told("stalls 1 --folded", *TWO).splitlines()) == 1
    assert told("stalls --folded") == ""


def test_a_semicolon_and_a_stall_that_nobody_saw():
    lines = told("stalls --folded", stall(1, 1.0, ([frame("a;b")], 1)), stall(2, 0.5))
    assert lines == "loop 1;(not seen) 500\nloop 1;a:b (web.py:1) 1000\n"


def boxes(text):
    """Title to left edge, width and level of each box of a flame graph."""
    root = ET.fromstring(text)
    found = {}
    for group in root.iter(f"{SVG}g"):
        box = group.find(f"{SVG}rect")
        title = group.find(f"{SVG}title").text
        found[title] = tuple(float(box.get(name)) for name in ("x", "width", "y"))
    return found


def test_flame_graph_has_a_box_for_each_function_above_its_callers():
    found = boxes(told("stalls --svg", *TWO))
    assert list(found) == sorted(found, key=list(found).index)
    whole = found["all stalls, 5 samples, 8.000 s, 100.0 %"]
    first = found["loop 1, 4 samples, 1.000 s, 12.5 %"]
    read = found["read (/app/web.py:1), 3 samples, 0.750 s, 9.4 %"]
    parse = found["parse (/app/web.py:1), 1 sample, 0.250 s, 3.1 %"]
    assert first[1] == pytest.approx(whole[1] / 8)
    assert read[1] == pytest.approx(3 * parse[1], abs=0.2)
    assert read[0] == pytest.approx(
        parse[0] + parse[1], abs=0.2
    )  # side by side, not over each other
    assert whole[2] > first[2] > read[2] == parse[2]
    assert first[0] + first[1] <= whole[0] + whole[1] + 0.2


def test_flame_graph_is_the_same_for_the_same_stalls():
    assert told("stalls --svg", *TWO) == told("stalls --svg", *TWO)


def test_flame_graph_escapes_what_names_may_hold():
    names = ["<lambda>", 'a"&b', "]]>", "\x00\x1b[31m", "\ud800", "ümlaut" * 30]
    frames = [frame(name, file=f"/a&b/<{number}>.py") for number, name in enumerate(names)]
    text = told("stalls --svg", stall(1, 1.0, (frames, 1)))
    titles = " ".join(boxes(text))
    assert "<lambda> (/a&b/<0>.py:1)" in titles
    assert 'a"&b' in titles
    assert "\\x00" in titles
    text.encode("utf-8")


def test_flame_graph_of_nothing():
    text = told("stalls --svg")
    assert boxes(text) == {}
    assert "No stalls are recorded." in text


def test_boxes_too_narrow_to_be_seen_are_left_out():
    many = [([frame(f"f{number}")], 1) for number in range(50)]
    found = boxes(told("stalls --svg", stall(1, 0.001, *many), stall(2, 100.0)))
    assert len(found) == 3
    assert all(width >= flame.NARROWEST for _, width, _ in found.values())
