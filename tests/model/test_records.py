"""A recording as lines, and back; lines that somebody else has written."""

from __future__ import annotations

import dataclasses
import json

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asyncconsole.model import (
    Diagnosis,
    Finding,
    Resource,
    Snapshot,
    Task,
    TaskRole,
    Waiter,
    records,
    schema,
)
from asyncconsole.model.callbacks import Polls
from asyncconsole.model.codec import FormError, decode, encode
from asyncconsole.model.recording import Judgement, Recording
from tests.model import made
from tests.model.described import describe

ROUNDS = settings(
    max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
RULES = schema.load("snapshot")
VALID = jsonschema.Draft202012Validator(RULES)


def test_the_schema_is_what_the_model_says() -> None:
    assert describe() == RULES, "run `python -m tests.model.described`"


@pytest.mark.parametrize("kind", sorted(records.KINDS))
def test_every_noun_comes_back(kind: str) -> None:
    @ROUNDS
    @given(made.item(kind))
    def check(item: object) -> None:
        text = json.dumps(encode(item), allow_nan=False)
        assert decode(records.KINDS[kind], json.loads(text)) == item

    check()


@ROUNDS
@given(
    tasks=st.lists(made.item("task"), max_size=3),
    resources=st.lists(made.item("resource"), max_size=2),
    findings=st.lists(made.item("finding"), max_size=2),
    stalls=st.lists(made.item("stall"), max_size=1),
    debug=st.lists(made.item("debug"), max_size=1),
    slow=made.item("slow"),
    poll=st.from_type(Polls),
)
def test_a_whole_recording_comes_back(
    *, tasks, resources, findings, stalls, debug, slow, poll
) -> None:
    seen = Snapshot(
        1, "a\udcff.py", "3", "t", tasks=tuple(tasks), resources=tuple(resources),
        stalls=tuple(stalls), sources=(("a.py", 1, "x"),), growth=((1.5, 2),),
    )  # fmt: skip
    polls = {task.id: poll for task in tasks[:1]}
    recording = Recording(
        seen, Judgement("t", 3, tuple(findings)), debug=tuple(debug), slow=slow, polls=polls
    )
    written = made.lines(recording)
    for line in written:
        VALID.validate(json.loads(line))
        assert line.isascii()
    assert made.read(written) == recording


@pytest.mark.parametrize("noun", [Snapshot, Diagnosis])
def test_whole_ones_come_back(noun: type) -> None:
    @settings(ROUNDS, max_examples=4)
    @given(st.from_type(noun))
    def check(item: object) -> None:
        assert decode(noun, json.loads(json.dumps(encode(item)))) == item

    check()


def test_stacks_are_written_once_and_shared() -> None:
    recording = made.program(300, places=7)
    written = made.lines(recording)
    assert sum(line.startswith(b'{"stack"') for line in written) == 7
    found = made.read(written)
    assert found == recording
    assert len({id(task.frames) for task in found.snapshot.tasks}) == 7


def test_long_lists_go_on_in_further_records() -> None:
    count = 2 * records.PIECE + 1
    waiters = tuple(Waiter(n, f"w{n}", n) for n in range(count))
    roles = tuple(TaskRole(n, f"w{n}", "victim") for n in range(count))
    finding = Finding("F1", "suspect", False, "event_never_set", "they wait", tasks=roles)
    seen = Snapshot(
        1, "a", "3", "t", resources=(Resource("L1", "Event", "E", "not set", waiters=waiters),)
    )
    recording = Recording(seen, Judgement("t", count, (finding,)))
    written = made.lines(recording)
    assert sum(line.startswith(b'{"more"') for line in written) == 4
    assert max(map(len, written)) < records.LONGEST_LINE
    assert made.read(written) == recording


def test_what_is_too_long_is_left_out_and_said_so() -> None:
    name = "x" * (records.LONGEST_LINE + 1)
    tasks = (Task(1, name, "ready", "c", 1), Task(2, "b", "ready", "c", 1))
    found = made.read(made.lines(Recording(Snapshot(1, "a", "3", "t", tasks=tasks)))).snapshot
    assert [task.id for task in found.tasks] == [2]
    assert found.gaps[0].why == "too long for a dump"


def test_a_long_item_of_a_long_list_is_left_out_and_said_so() -> None:
    texts = ["x" * 700] * (records.PIECE + 100)
    given_ = (*texts, "y" * records.LONGEST_LINE, "z")
    finding = Finding("F1", "suspect", False, "event_never_set", "they wait", evidence=given_)
    written = made.lines(Recording(Snapshot(1, "a", "3", "t"), Judgement("t", 0, (finding,))))
    assert max(map(len, written)) <= records.LONGEST_LINE
    found = made.read(written)
    assert found.judgement.findings[0].evidence == (*texts, "z")
    assert found.snapshot.gaps[0].what == "one of the evidence of a finding"


def test_odd_values_of_a_program() -> None:
    class Name(str):
        __slots__ = ()

        def __str__(self) -> str:
            raise AssertionError

    class Number(int):
        pass

    details = (("size", Number(3)), ("what", object()))
    resource = Resource("L1", "Lock", Name("LOCK"), "locked", details=details)
    found = made.read(made.lines(Recording(Snapshot(1, "a", "3", "t", resources=(resource,)))))
    (read,) = found.snapshot.resources
    assert (type(read.name), read.name) == (str, "LOCK")
    assert read.details == (("size", 3), ("what", "<object>"))


def test_keys_and_kinds_of_a_later_program_are_passed_over() -> None:
    head, *rest, end = made.lines(made.program(1))
    later = json.loads(head) | {"weather": "fine"}
    counts = json.loads(end)["end"] | {"dream": 1}
    task = json.loads(rest[-2])
    task["task"]["mood"] = {"good": [True]}
    written = [
        json.dumps(later).encode(),
        *rest[:-2],
        json.dumps(task).encode(),
        rest[-1],
        b'{"dream": {"of": "sheep"}}',
        json.dumps({"end": counts}).encode(),
    ]
    assert made.read(written) == made.program(1)


@pytest.mark.parametrize(
    ("number", "line", "why"),
    [
        (0, b"{}", "no dump of asyncconsole"),
        (0, b'{"schema": "asyncconsole/tasks/1"}', "no dump of asyncconsole"),
        (0, b'{"schema": "asyncconsole/snapshot/x"}', "no dump of asyncconsole"),
        (0, b'{"schema": "asyncconsole/snapshot/2"}', "newer version"),
        (0, b'{"schema": "asyncconsole/snapshot/' + b"9" * 5000 + b'"}', "newer version"),
        (1, b"[]", "no JSON object"),
        (1, b"\xff\xfe", "no JSON object"),
        (1, b'{"task": NaN}', "no JSON object"),
        (1, b"[" * 1_000_000, "no JSON object"),
        (1, b'{"a":' * 100_000, "no JSON object"),
        (1, b'{"pid": ' + b"1" * 1_000_000 + b"}", "no JSON object"),
        (1, b'{"task": {}}', "Task.address is missing|Task.coro is missing"),
        (1, b'{"task": 3}', "Task: keys and values"),
        (1, b'{"task": {"frames": 77}}', "a stack that there is not"),
        (1, b'{"task": {"frames": [1]}}', "a stack that there is not"),
        (1, b'{"growth": [1, 2, 3]}', "a list of 2"),
        (1, b'{"growth": [1e999, 2]}', "a number was expected"),
        (1, b'{"growth": [' + b"1" * 399 + b", 2]}", "a number was expected"),
        (1, b'{"more": ["tasks", []]}', "what has not begun"),
        (1, b'{"end": {"task": 5}}', "records are missing"),
        (1, b'{"gap": {"what": 1, "why": ""}}', "Gap.what: text was expected"),
        (-1, b'{"gap": {"what": "", "why": ""}}', "its end is missing"),
    ],
)  # fmt: skip
def test_wrong_lines(number: int, line: bytes, why: str) -> None:
    written = made.lines(made.program(2))
    written[number : number + 1 or None] = [line, *([written[1]] if number == 1 else [])]
    with pytest.raises(records.RecordError, match=why):
        made.read(written)


def test_cut_anywhere() -> None:
    written = made.lines(made.program(20))
    for count in range(len(written)):
        with pytest.raises(records.RecordError):
            made.read(written[:count])
    with pytest.raises(records.RecordError, match="follows its end"):
        made.read([*written, written[1]])


def test_there_is_a_limit_to_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    written = made.lines(made.program(20))
    for name, value in (
        ("MOST_TEXT", 2_000),
        ("MOST_ITEMS", 100),
        ("LONGEST_LINE", 80),
        ("MOST_OF_ONE", 20),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(records, name, value)
            with pytest.raises(records.RecordError, match="more in it than"):
                made.read(written)


WORDS = [b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"-1", b"1e9", b"0", b"\\u0000", b"\n"]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_damaged_lines_are_refused_and_nothing_else(data: st.DataObject) -> None:
    text = b"".join(made.lines(made.program(3, places=2)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        gone = data.draw(st.integers(0, 12))
        new = data.draw(st.one_of(st.sampled_from(WORDS), st.binary(max_size=4)))
        text = text[:at] + new + text[at + gone :]
    try:
        found = made.read(text.splitlines())
    except records.RecordError:
        return
    assert made.read(made.lines(found)) == found


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(records.KINDS)), st.data())
def test_wrong_types_make_nothing(kind: str, data: st.DataObject) -> None:
    hint = records.KINDS[kind]
    value = encode(data.draw(st.from_type(hint)))
    if isinstance(value, dict) and value:
        value[data.draw(st.sampled_from(sorted(value)))] = data.draw(VALUES)
    else:
        value = data.draw(VALUES)
    try:
        found = decode(hint, value)
    except FormError:
        return
    assert not dataclasses.is_dataclass(found) or type(found) is hint
