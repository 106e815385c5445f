"""Who could do what a waiter waits for, read from the program's own code.

Code tells what somebody might do, never that it will: nothing here is part of a proof. It
tells a wait that is meant to end (somebody was to set that event) from one that is not, and
names those who were to end it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from asyncconsole.model import Snapshot, Task
from asyncconsole.model.autopsy import Routine
from asyncconsole.model.ended import Ended

ENDS = {
    "event": frozenset({"set"}),
    "queue_get": frozenset({"put", "put_nowait", "shutdown"}),
    "queue_put": frozenset({"get", "get_nowait", "shutdown"}),
    "queue_join": frozenset({"task_done", "shutdown"}),
    "condition": frozenset({"notify", "notify_all"}),
    "barrier": frozenset({"wait", "abort", "reset"}),
    "future": frozenset({"set_result", "set_exception"}),
    "lock": frozenset({"release"}),
    "semaphore": frozenset({"release"}),
    "stream_receive": frozenset({"send", "send_nowait"}),
    "stream_send": frozenset({"receive", "receive_nowait"}),
}
"""Methods that end each kind of wait."""

_WAITS = {
    "event": "wait",
    "queue_get": "get",
    "queue_put": "put",
    "queue_join": "join",
    "condition": "wait",
    "barrier": "wait",
    "lock": "acquire",
    "semaphore": "acquire",
}
_NAMED = ENDS.keys() - {"future"}
"""Waits for things that mostly go by one name. A future has one where it is awaited, and
another where it is resolved."""

_DEEP = 4
"""Calls that are followed from a function."""

_WORDS = frozenset({"in", "of", "lock", "unnamed", "seen", "at", "local", "self", "waits", "for"})


@dataclass(frozen=True, slots=True)
class Use:
    """One line of the program that does something with a primitive."""

    owner: str
    method: str
    file: str
    line: int
    function: str


class Partners:
    """The program's own functions, and whose they are.

    Args:
        snapshot: The program; without an autopsy nothing is known.

    Attributes:
        known: True when there are functions.
        files: Where they are.
        releases: True when some code calls ``release()``.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        routines = snapshot.autopsy.routines if snapshot.autopsy is not None else ()
        self.known = bool(routines)
        self.releases = any(
            method == "release" for routine in routines for _, method, _ in routine.uses
        )
        self.files = frozenset(routine.file for routine in routines)
        self._by_name: dict[str, list[Routine]] = {}
        for routine in routines:
            self._by_name.setdefault(_simple(routine.function), []).append(routine)
        ahead = snapshot.autopsy.ahead if snapshot.autopsy is not None else ()
        self._ahead = {number: those for numbers, those in ahead for number in numbers}
        self._reached: dict[tuple[Routine, ...], tuple[Routine, ...]] = {}
        self._of: dict[int, tuple[Routine, ...]] = {}

    def routines(self, task: Task) -> tuple[Routine, ...]:
        """The functions on a task's stack, those that run at its end, and all they may call."""
        found = self._of.get(task.id)
        if found is None:
            last = [item for name in task.then for item in self._by_name.get(_simple(name), ())]
            found = self._of[task.id] = self._closure((*self.on_stack(task), *last))
        return found

    def on_stack(self, task: Task) -> list[Routine]:
        """The functions on a task's stack, with what it can still come to in them."""
        ahead = self._ahead.get(task.id)
        if ahead is not None:
            return list(ahead)
        return [
            routine
            for frame in task.frames
            for routine in self.at(frame.file, frame.line, frame.function)
        ]

    def at(self, file: str, line: int, function: str) -> list[Routine]:
        """The functions of that name that a line may be in."""
        return [
            routine
            for routine in self._by_name.get(_simple(function), ())
            if routine.file == file and routine.line <= line
        ]

    def of_ended(self, ended: Ended) -> tuple[Routine, ...]:
        """The functions that an ended task may have called."""
        return self.named(ended.coro)

    def named(self, function: str) -> tuple[Routine, ...]:
        """The functions of a name, and those that they may call."""
        return self._closure(self._by_name.get(_simple(function), ()))

    def uses(self, routines: Iterable[Routine], methods: frozenset[str]) -> list[Use]:
        """What those functions do of these methods."""
        return [
            Use(owner, method, routine.file, line, routine.function)
            for routine in routines
            for owner, method, line in routine.uses
            if method in methods
        ]

    def everywhere(self, methods: frozenset[str], names: frozenset[str] | None = None) -> list[Use]:
        """Every use of these methods in the whole program, on something of these names."""
        return [
            use
            for routines in self._by_name.values()
            for use in self.uses(routines, methods)
            if names is None or use.owner in names
        ]

    def names(self, waiters: Iterable[Task]) -> frozenset[str]:
        """What the program calls the thing that these tasks wait for."""
        found: set[str] = set()
        for task in waiters:
            wait = task.wait
            if wait is None:
                continue
            if not wait.name.startswith("unnamed"):
                bare = re.sub(r"\['[^']*'\]|\(\)|in \w[\w.]*$", " ", wait.name)
                words = [word for word in re.findall(r"[A-Za-z_]\w*", bare) if word not in _WORDS]
                found.update(words[-1:])
            method = _WAITS.get(wait.kind)
            for frame in reversed(task.frames):
                for routine in self._by_name.get(_simple(frame.function), ()):
                    if routine.file == frame.file:
                        found.update(
                            owner
                            for owner, name, line in routine.uses
                            if name == method and line == frame.line and owner
                        )
                if frame.own:
                    break
        return frozenset(found)

    def ended(self, kind: str, names: frozenset[str]) -> list[Ended]:
        """Ended tasks whose code ends such waits on something of these names, latest first."""
        methods = ENDS.get(kind, ENDS["future"])
        found = []
        for ended in reversed(self.snapshot.ended):
            uses = self.uses(self.of_ended(ended), methods)
            if any(use.owner in names or kind not in _NAMED for use in uses):
                found.append(ended)
        return found

    def _closure(self, start: Iterable[Routine]) -> tuple[Routine, ...]:
        key = tuple(start)
        found = self._reached.get(key)
        if found is None:
            seen = dict.fromkeys(key)
            level = list(seen)
            for _ in range(_DEEP):
                following = [
                    other
                    for routine in level
                    for name in routine.calls
                    for other in self._by_name.get(name, ())
                    if other not in seen
                ]
                level = list(dict.fromkeys(following))
                seen.update(dict.fromkeys(level))
            found = self._reached[key] = tuple(seen)
        return found


def _simple(function: str) -> str:
    """The last part of a qualified name."""
    return function.rpartition(".")[2]
