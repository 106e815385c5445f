"""A recording as lines of JSON, and back: one record on each, so that nobody needs it all at once.

The first line is the header with the schema, the last one counts what came between, so that a file
that was cut short is noticed. ``stack`` records are numbered from 0; tasks name them. A list that
is long goes on in ``more`` records.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Iterator
from typing import Any

from asyncconsole._version import __version__
from asyncconsole.model.blocked import Pool, Start
from asyncconsole.model.busy import Busy
from asyncconsole.model.callbacks import Polls, SlowAccount
from asyncconsole.model.codec import FormError, decode, encode
from asyncconsole.model.ended import Ended
from asyncconsole.model.finding import Finding
from asyncconsole.model.gap import Gap
from asyncconsole.model.jsonl import RecordError, line_of, parsed
from asyncconsole.model.loop import Loop, Thread
from asyncconsole.model.order import Inversion
from asyncconsole.model.recording import Judgement, Recording
from asyncconsole.model.resource import Resource
from asyncconsole.model.snapshot import SNAPSHOT_SCHEMA, Snapshot
from asyncconsole.model.stall import Stall
from asyncconsole.model.status import DebugStatus, ProbeStatus, TrackStatus
from asyncconsole.model.task import Frame, Task

PIECE = 5_000
"""Items of a list in one record; the rest of them is in further ones."""

LONGEST_LINE = 4 << 20
"""Characters of a line, without its end."""

MOST_TEXT = 256 << 20
"""Characters of all lines; half a million tasks and more are less."""

MOST_ITEMS = 20_000_000
"""Values in all lines, counted by what separates them: some 30 make a task."""

MOST_OF_ONE = 3_000_000
"""Values of one record with those lines on which it goes on: half a million waiters are less."""

LINE = 10
"""What a line counts besides."""

MOST_STACKS = 50_000
"""Stacks that the writer remembers, to write each but once."""

VERSION = int(SNAPSHOT_SCHEMA.rpartition("/")[2])

_TOO_MUCH = "it has more in it than a dump may have"

Frames = tuple[Frame, ...]

PARTS: dict[str, tuple[str, Any]] = {
    "loop": ("loops", Loop),
    "thread": ("threads", Thread),
    "stall": ("stalls", Stall),
    "pool": ("pools", Pool),
    "start": ("starts", Start),
    "busy": ("busy", Busy),
    "inversion": ("inversions", Inversion),
    "gap": ("gaps", Gap),
    "ended": ("ended", Ended),
    "source": ("sources", tuple[str, int, str]),
    "growth": ("growth", tuple[float, int]),
    "task": ("tasks", Task),
    "resource": ("resources", Resource),
}
"""Kinds of records, and the fields of `Snapshot` and types of what is in them."""

KINDS: dict[str, Any] = {
    **{kind: hint for kind, (_, hint) in PARTS.items()},
    "stack": Frames,
    "polls": tuple[int, Polls],
    "terminated": Ended,
    "debug": DebugStatus,
    "probe": ProbeStatus,
    "track": TrackStatus,
    "slow": SlowAccount,
    "judgement": Judgement,
    "finding": Finding,
}
"""Every kind of record, but for the header, ``more`` and ``end``."""

_STACKS = ("frames", "creation")
"""Fields of a task that name a stack."""


class NewerError(RecordError):
    """They are of a version that is not known yet."""


def lines(recording: Recording, polls: Callable[[int], Polls | None]) -> Iterator[str]:
    """A recording as lines, each with its end, in ASCII.

    Args:
        recording: What is written, but for its ``polls``.
        polls: How long the steps of a task took.
    """
    writer = _Writer()
    snapshot = recording.snapshot
    head = {"schema": snapshot.schema, "by": f"asyncconsole {__version__}"}
    for name in ("pid", "program", "python", "taken_at", "uptime", "took", "total"):
        head[name] = encode(getattr(snapshot, name))
    yield line_of(head)
    for kind in ("probe", "track", "slow"):
        yield from writer.record(kind, getattr(recording, kind))
    for status in recording.debug:
        yield from writer.record("debug", status)
    for kind, (name, _) in PARTS.items():
        for item in getattr(snapshot, name):
            if kind != "task":
                yield from writer.record(kind, item)
                continue
            yield from writer.task(item)
            timed = polls(item.id)
            if timed is not None:
                yield from writer.record("polls", (item.id, timed))
    for ended in recording.terminated:
        yield from writer.record("terminated", ended)
    if recording.judgement is not None:
        judgement = recording.judgement
        yield from writer.record("judgement", dataclasses.replace(judgement, findings=()))
        for finding in judgement.findings:
            yield from writer.record("finding", finding)
    yield from writer.lost()
    yield line_of({"end": writer.counts})


class _Writer:
    """Turns items into lines and counts them."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._stacks: dict[Frames, int] = {}
        self._lost: list[str] = []

    def record(self, kind: str, item: Any) -> Iterator[str]:
        """The line of an item, and those on which its long lists go on."""
        lists = _long(item)
        raw = encode(item, lists)
        for name in lists:
            raw[name] = encode(getattr(item, name)[:PIECE])
        if (yield from self._written(kind, raw)):
            for name in lists:
                for start in range(PIECE, len(getattr(item, name)), PIECE):
                    piece = encode(getattr(item, name)[start : start + PIECE])
                    yield from self._continued(kind, name, piece)

    def task(self, task: Task) -> Iterator[str]:
        """A task, after those of its stacks that are new."""
        raw = encode(task, _STACKS)
        for name in _STACKS:
            frames = getattr(task, name)
            if not frames:
                continue
            number = self._stacks.get(frames)
            if number is None:
                number = self.counts.get("stack", 0)
                if len(self._stacks) >= MOST_STACKS:
                    self._stacks.clear()
                self._stacks[frames] = number
                yield from self._written("stack", encode(frames))
            raw[name] = number
        yield from self._written("task", raw)

    def _written(self, kind: str, raw: Any) -> Generator[str, None, bool]:
        """A record; what is too long is left out, and said so; returns whether it was not."""
        text = line_of({kind: raw})
        fits = len(text) <= LONGEST_LINE
        if fits or kind == "stack":  # tasks count on its number
            self.counts[kind] = self.counts.get(kind, 0) + 1
            yield text if fits else line_of({kind: []})
        if not fits:
            what = raw.get("name") or raw.get("id") if type(raw) is dict else None
            yield from self._gap(f"{kind} {what or ''}"[:200].rstrip())
        return fits

    def _continued(self, kind: str, name: str, items: list[Any]) -> Iterator[str]:
        """More of a list."""
        text = line_of({"more": [name, items]})
        if len(text) <= LONGEST_LINE:
            yield text
        elif len(items) > 1:
            half = len(items) // 2
            yield from self._continued(kind, name, items[:half])
            yield from self._continued(kind, name, items[half:])
        else:
            self._lost.append(f"one of the {name} of a {kind}")

    def lost(self) -> Iterator[str]:
        """What was left out of lists, said so."""
        for what in dict.fromkeys(self._lost):
            yield from self._gap(what)

    def _gap(self, what: str) -> Iterator[str]:
        yield from self._written("gap", encode(Gap(what, "too long for a dump")))


def _long(item: Any) -> list[str]:
    """Fields with more items than one record has."""
    if not dataclasses.is_dataclass(item):
        return []
    return [
        field.name
        for field in dataclasses.fields(item)
        if type(value := getattr(item, field.name)) is tuple and len(value) > PIECE
    ]


class Reader:
    """Takes the lines of a recording one after the other, and gives it at the end."""

    def __init__(self) -> None:
        self._head: dict[str, Any] | None = None
        self._found: dict[str, list[Any]] = {}
        self._counts: dict[str, int] = {}
        self._pending: tuple[str, Any] | None = None
        self._shared: dict[Frame, Frame] = {}
        self._text = self._items = self._one = 0
        self._ended = False

    def take(self, line: bytes) -> None:
        """One line, with or without its end.

        Raises:
            RecordError: It can't be part of a recording, or there is too much of it.
        """
        weight = self._weigh(line)
        value = parsed(line)
        self._one = weight + (self._one if "more" in value else 0)
        if self._one > MOST_OF_ONE:
            raise RecordError(_TOO_MUCH)
        if self._head is None:
            self._head = _checked(value)
        elif self._ended:
            msg = "something follows its end"
            raise RecordError(msg)
        elif len(value) != 1:
            msg = "a line is no record"
            raise RecordError(msg)
        else:
            ((kind, raw),) = value.items()
            self._record(kind, raw)

    def recording(self) -> Recording:
        """What it was.

        Raises:
            RecordError: The end is missing.
        """
        if self._head is None or not self._ended:
            msg = "it is cut short: its end is missing"
            raise RecordError(msg)
        found = self._found
        parts = {name: tuple(found.pop(kind, ())) for kind, (name, _) in PARTS.items()}
        try:
            snapshot = decode(Snapshot, {**self._head, **parts})
        except FormError as error:
            raise RecordError(str(error)) from None
        only = {kind: found[kind][-1] for kind in ("probe", "track", "slow") if kind in found}
        judgement = found["judgement"][-1] if "judgement" in found else None
        if judgement is not None:
            judgement = dataclasses.replace(judgement, findings=tuple(found.get("finding", ())))
        return Recording(
            snapshot,
            judgement,
            debug=tuple(found.get("debug", ())),
            terminated=tuple(found.get("terminated", ())),
            polls=dict(found.get("polls", ())),
            **only,
        )

    def _weigh(self, line: bytes) -> int:
        """Refuse what would take more memory than any program's dump; what a line counts."""
        weight = LINE + line.count(b",") + line.count(b"[") + line.count(b"{")
        self._text += len(line)
        self._items += weight
        if len(line) > LONGEST_LINE + 1 or self._text > MOST_TEXT or self._items > MOST_ITEMS:
            raise RecordError(_TOO_MUCH)
        return weight

    def _record(self, kind: str, raw: Any) -> None:
        if kind == "more":
            self._continue(raw)
            return
        self._finish()
        if kind == "end":
            self._end(raw)
            return
        self._counts[kind] = self._counts.get(kind, 0) + 1
        if kind in KINDS:  # others are of a later program, and no harm
            self._pending = kind, raw

    def _continue(self, raw: Any) -> None:
        """The list of the last record goes on."""
        whole: Any = self._pending[1] if self._pending is not None else None
        if type(raw) is list and len(raw) == 2 and type(whole) is dict:  # noqa: PLR2004 - a name and items
            name, items = raw
            begun = whole.get(name) if type(name) is str else None
            if type(begun) is list and type(items) is list:
                begun += items
                return
        msg = "a line goes on with what has not begun"
        raise RecordError(msg)

    def _finish(self) -> None:
        """The last record is whole now."""
        if self._pending is None:
            return
        kind, raw = self._pending
        self._pending = None
        if kind == "task" and type(raw) is dict:
            for name in _STACKS:
                if name in raw:
                    raw[name] = self._stack(raw[name])
        try:
            item = decode(KINDS[kind], raw)
        except FormError as error:
            raise RecordError(str(error)) from None
        if kind == "stack":
            item = tuple([self._shared.setdefault(frame, frame) for frame in item])
        self._found.setdefault(kind, []).append(item)

    def _stack(self, number: Any) -> Frames:
        stacks: list[Frames] = self._found.get("stack", [])
        if type(number) is not int or not 0 <= number < len(stacks):
            msg = "a task names a stack that there is not"
            raise RecordError(msg)
        return stacks[number]

    def _end(self, raw: Any) -> None:
        if raw != self._counts:
            msg = "it is cut short: records are missing"
            raise RecordError(msg)
        self._ended = True


def _checked(head: dict[str, Any]) -> dict[str, Any]:
    """The header, if it is one of ours.

    Raises:
        NewerError: Of a later version.
        RecordError: Of something else.
    """
    schema: Any = head.get("schema")
    name, _, version = schema.rpartition("/") if type(schema) is str else ("", "", "")
    if name != SNAPSHOT_SCHEMA.rpartition("/")[0] or not (version.isascii() and version.isdigit()):
        msg = "it is no dump of asyncconsole"
        raise RecordError(msg)
    if len(version) > 9 or int(version) > VERSION:  # noqa: PLR2004 - digits nobody will ever need
        msg = f"it is of a newer version ({schema[:60]}); this one reads {SNAPSHOT_SCHEMA}"
        raise NewerError(msg)
    return {"schema": schema, **{name: value for name, value in head.items() if name in _HEAD}}


_HEAD = frozenset(item.name for item in dataclasses.fields(Snapshot)) - {
    *(name for name, _ in PARTS.values()),
    *("autopsy", "schema"),
}
