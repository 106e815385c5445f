"""The names that a REPL session begins with."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from asyncconsole.act.cancel import place
from asyncconsole.capture import futures, program, roll
from asyncconsole.commands.command import nearest
from asyncconsole.serve.look import snapshot

SHOWN = 30
"""Tasks or locks that the repr of all of them lists."""


def names(own: Mapping[str, Any]) -> dict[str, Any]:
    """Names for a new session: ours, the program's main module's, then what it was given.

    A copy: what a session binds is its own.

    Args:
        own: What ``start(locals=…)`` got.
    """
    main = sys.modules.get("__main__")
    theirs = {
        name: value
        for name, value in (vars(main).items() if main is not None else ())
        if not name.startswith("__")
    }
    ours = {"tasks": Tasks(), "locks": Locks(), "snapshot": snapshot}
    return {**ours, **theirs, "asyncio": asyncio, **own, "__name__": "__console__"}


class Tasks(Mapping[int, Any]):
    """The program's living tasks by the number that ``ps`` prints; also by a unique name."""

    def __getitem__(self, key: int | str) -> Any:
        if isinstance(key, str):
            return _called(key, {number: futures.name(task) for number, task in _tasks()}, self)
        found = roll.shared().find(key)
        if found is None or futures.done(found):
            msg = f"no task {key} (it may have ended)"
            raise KeyError(msg)
        return found

    def __iter__(self) -> Iterator[int]:
        return iter([number for number, _ in _tasks()])

    def __len__(self) -> int:
        return len(_tasks())

    def __repr__(self) -> str:
        rows = [
            f"{number:>4}  {futures.name(task)}  {place(task)}".rstrip()
            for number, task in itertools.islice(_tasks(), SHOWN)
        ]
        return _listed(rows, len(self), "tasks[3] or tasks['name'] is the Task")


class Locks(Mapping[str, Any]):
    """What tasks wait for or hold, by the id that ``locks`` prints; also by a unique name."""

    def __getitem__(self, key: str) -> Any:
        number = key[1:] if key[:1] in ("L", "l") else ""
        found = program.shared().things.numbered(int(number)) if number.isdecimal() else None
        if found is None:
            return _called(key, {item.id: item.name for item in snapshot().resources}, self)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter([item.id for item in snapshot().resources])

    def __len__(self) -> int:
        return len(snapshot().resources)

    def __repr__(self) -> str:
        items = snapshot().resources
        rows = [f"{item.id:>4}  {item.type}  {item.name}  {item.state}" for item in items[:SHOWN]]
        return _listed(rows, len(items), "locks['L1'] or locks['name'] is the object itself")


def _tasks() -> list[tuple[int, Any]]:
    book = roll.shared()
    return [(book.number(task)[0], task) for task in book.look().tasks]


def _called(name: str, known: dict[Any, str], among: Mapping[Any, Any]) -> Any:
    """The only one of that name.

    Raises:
        KeyError: There is none, or more than one.
    """
    keys = [key for key, other in known.items() if other == name]
    if len(keys) == 1 and keys[0] != name:
        return among[keys[0]]
    if keys:
        msg = f"{len(keys)} are called {name!r}: {', '.join(map(str, keys[:8]))}"
        raise KeyError(msg)
    guess = nearest(name, list(known.values())[:10_000])
    msg = f"nothing is called {name!r}" + (f"; did you mean {guess!r}?" if guess else "")
    raise KeyError(msg)


def _listed(rows: list[str], total: int, hint: str) -> str:
    more = f"  ... and {total - len(rows)} more\n" if total > len(rows) else ""
    return "".join(f"{row}\n" for row in rows) + more + f"{total} in all; {hint}"
