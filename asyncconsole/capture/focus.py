"""A few tasks in full, without reading a hundred thousand others.

What a snapshot tells of a task depends on few others: who awaits it, who has what it
waits for, and what the holders await (they may have given a lock to somebody to release).
Awaiters are found from the task's own callbacks; holders among the tasks that stand
where something can be held at all.
"""

from __future__ import annotations

import asyncio
import functools
import types
from collections.abc import Collection, Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from asyncconsole.capture import chain as chains
from asyncconsole.capture import drafts, futures, jobs, libraries, quiet
from asyncconsole.capture.look import Look, Steps
from asyncconsole.capture.objects import attribute, contents
from asyncconsole.capture.owned import owners_of
from asyncconsole.capture.readers import reader_for

if TYPE_CHECKING:
    from asyncconsole.capture.program import Program

SLICE = 200

MOST_HEIRS = 100
"""Tasks in the queue of what a task holds that are read with it."""

MOST_AHEAD = 20
"""Tasks that one waits for, and tasks one behind the other, that are read with it."""

DEEPEST = 50
"""Gathers and shields between a task and who awaits it."""

_CONDITION_WAIT = asyncio.Condition.wait.__code__


class Focus:
    """The tasks that have to be read to tell about a few.

    Args:
        program: What is looked at.
        deep: See `commands.port.Target.around`.
    """

    def __init__(self, program: Program, *, deep: bool) -> None:
        self.look = Look(program)
        self._program = program
        self._deep = deep
        self._tasks: dict[int, Any] = {}
        self._drafts: dict[int, drafts.Draft] = {}
        self._things: dict[int, Any] = {}

    def listed(self) -> list[Any]:
        """The tasks, by their ids."""
        return sorted(self._tasks.values(), key=self._program.tasks.known)

    def named(self, word: str) -> list[Any]:
        """The tasks that a word can mean: by number, by ``id()``, else by name."""
        number = _number(word)
        if number is not None:
            for task in self.look.muster.tasks:
                if id(task) == number or self._program.tasks.known(task) == number:
                    return [task]
        return [task for task in self.look.muster.tasks if futures.name(task) == word]

    def things(self, word: str) -> list[Any]:
        """The primitives that a word can mean, of those that were seen before."""
        program = self._program
        if word[:1] in {"L", "l"} and word[1:].isdecimal():
            return [
                thing for thing in [program.things.numbered(int(word[1:]))] if thing is not None
            ]
        bare = _unquoted(word)
        numbers = {number for number, text in program.names.items() if _unquoted(text) == bare}
        return [thing for number, thing in program.things.live() if number in numbers]

    def read(self, task: Any) -> drafts.Draft:
        """One task; it will be in the snapshot."""
        key = id(task)
        found = self._drafts.get(key)
        if found is None:
            found = drafts.Draft(task, self._program.tasks.of(task), futures.loop(task))
            drafts.read(found, running=key in self.look.running, holds=True)
            self._drafts[key] = found
        if not futures.done(task):
            self._tasks[key] = task
        return found

    def tasks(self, chosen: Iterable[Any]) -> Generator[None, None, None]:
        """Take in tasks, and whatever tells about them."""
        chosen = list(chosen)
        held: list[Any] = []
        for draft in [self.read(task) for task in chosen]:
            held += [thing for item in draft.grip.held for thing in (item.thing, item.through)]
            self._about([*held, draft.waiting.thing if draft.waiting is not None else None])
            for other in _awaiters(draft.task):
                self.read(other)
            self._creator(draft.task)
            self._ahead(draft)
        if self._deep:
            yield from self._below(chosen)
            for thing in {id(thing): thing for thing in held}.values():
                yield from self.queue(thing, MOST_HEIRS)

    def _ahead(self, draft: drafts.Draft) -> None:
        """Take in whom a task waits for, and whom they do while each waits for one."""
        for _ in range(MOST_AHEAD):
            if draft.waiting is None:
                return
            behind = (jobs.task_behind(job) for job in draft.waiting.jobs[:MOST_AHEAD])
            following = [*draft.waiting.tasks, *(task for task in behind if task is not None)]
            for other in following[:MOST_AHEAD]:
                self.read(other)
            if len(following) != 1:
                return
            draft = self.read(following[0])

    def owned(self, chosen: Iterable[Any]) -> Generator[None, None, None]:
        """Take in what these tasks have by the word of a library's primitive alone.

        Only a primitive that somebody waits for can be found that way.
        """
        if not libraries.keep_owners():
            return
        wanted = {id(task) for task in chosen}
        for index, task in enumerate(self.look.muster.tasks):
            if index % SLICE == SLICE - 1:
                quiet.check()
                yield
            if id(task) in self._drafts or chains.walk(futures.coroutine(task)).shape.plain:
                continue
            draft = drafts.Draft(task, self._program.tasks.of(task), futures.loop(task))
            drafts.read(draft, running=id(task) in self.look.running, holds=False)
            thing = draft.waiting.thing if draft.waiting is not None else None
            if thing is not None and wanted & {id(owner) for owner in owners_of(thing) or ()}:
                self._about([thing])
                self.read(task)

    def queue(self, thing: Any, most: int | None) -> Generator[None, None, None]:
        """Take in a primitive and the first who wait for it."""
        self._about([thing])
        reader = reader_for(thing)
        waiting = [(thing, "")] if reader is None else reader.read(thing).queue[:most]
        for index, (future, _) in enumerate(waiting):
            if index % SLICE == SLICE - 1:
                yield
            for other in _awaiters(future):
                self.read(other)

    def _creator(self, task: Any) -> None:
        records = self._program.records
        made = records.creation(task) if records is not None else None
        if made is not None and made.creator is not None and not futures.done(made.creator):
            self.read(made.creator)

    def _about(self, things: Iterable[Any]) -> None:
        for thing in things:
            reader = reader_for(thing) if thing is not None else None
            if reader is not None:
                for item in (thing, reader.guards(thing)):
                    self._things[id(item)] = item

    def _below(self, start: Iterable[Any]) -> Generator[None, None, None]:
        """Take in whom these await or have in TaskGroups, however far."""
        todo = list(start)
        seen = {id(task) for task in todo}
        count = 0
        while todo:
            count += 1
            if count % SLICE == SLICE - 1:
                quiet.check()
                yield
            draft = self.read(todo.pop())
            waited = draft.waiting.tasks if draft.waiting is not None else []
            for other in (*waited, *draft.grip.children):
                if id(other) not in seen:
                    seen.add(id(other))
                    todo.append(other)

    def holders(self) -> Generator[None, None, None]:
        """Take in who has what was met so far, and whoever may have been lent it."""
        for task in self.look.muster.tasks:
            if id(task) in self.look.running:
                self.read(task)  # it may hold anything
        holdable = False
        for thing in list(self._things.values()):
            reader = reader_for(thing)
            holdable = holdable or (
                reader is not None and (reader.holdable or reader.guards(thing) is not thing)
            )
            if self._program.records is not None:
                for owner in self._program.records.owners(thing):
                    if owner.task is not None and not futures.done(owner.task):
                        self.read(owner.task)
        if not holdable:
            return
        found = []
        for index, task in enumerate(self.look.muster.tasks):
            if index % SLICE == SLICE - 1:
                quiet.check()
                yield
            if self._has(task):
                found.append(task)
        yield from self._below(found)

    def _has(self, task: Any) -> bool:
        """Whether a task holds one of the things, or waits for one inside a Condition."""
        key = id(task)
        draft = self._drafts.get(key)
        if draft is None:
            chain = chains.walk(futures.coroutine(task))
            if drafts.holds_nothing(chain) and not drafts.stands_in(chain, _CONDITION_WAIT):
                return False
            draft = drafts.Draft(task, self._program.tasks.of(task), futures.loop(task))
            drafts.read(draft, running=key in self.look.running, holds=True)
        if any(id(held.thing) in self._things for held in draft.grip.held):
            return True
        waiting = draft.waiting
        if waiting is None or waiting.thing is None:
            return False
        if waiting.kind == "condition":
            reader = reader_for(waiting.thing)
            return reader is not None and id(reader.guards(waiting.thing)) in self._things
        inside = any(level.code is _CONDITION_WAIT for level in draft.chain.levels)
        return inside and id(waiting.thing) in self._things


def around(
    program: Program,
    tasks: Sequence[str],
    resources: Sequence[str],
    witnesses: Collection[int],
    *,
    deep: bool,
) -> Steps:
    """See `asyncconsole.commands.port.Target.around`.

    Yields:
        None, between slices.
    """
    with quiet.quiet():
        focus = Focus(program, deep=deep)
        look = focus.look
        things = [thing for word in resources for thing in focus.things(word)]
        if len(things) < len(resources):  # a name that is not known yet: all have to be read
            return (yield from look.all(look.muster.tasks, holds=True, resources=True, full=False))
        chosen = [task for word in tasks for task in focus.named(word)]
        yield from focus.tasks(chosen)
        yield from focus.owned(chosen)
        if witnesses:
            for task in look.muster.tasks:
                if program.tasks.known(task) in witnesses:
                    focus.read(task)
        for thing in things:
            yield from focus.queue(thing, None)
        yield from focus.holders()
        return (yield from look.all(focus.listed(), holds=True, resources=True, full=False))


def _awaiters(future: Any) -> list[Any]:
    """Tasks that may wait for a future: through its callbacks, gathers and shields."""
    found: dict[int, Any] = {}
    seen: set[int] = set()
    todo = [(future, 0)]
    while todo:
        item, depth = todo.pop()
        if id(item) in seen or depth > DEEPEST:
            continue
        seen.add(id(item))
        for callback in futures.callbacks(item):
            for other in _behind(callback):
                if futures.is_task(other) and other is not item:
                    found[id(other)] = other
                elif futures.is_future(other):
                    todo.append((other, depth + 1))
    found.pop(id(future), None)
    return list(found.values())


def _behind(callback: Any, depth: int = 0) -> list[Any]:
    """Futures and tasks that a callback acts on."""
    found: list[Any] = []
    if type(callback) is types.FunctionType:
        found = contents(callback.__closure__ or ())
    elif type(callback) is functools.partial:
        found = [*callback.args, *(_behind(callback.func, depth + 1) if depth < 3 else ())]  # noqa: PLR2004 - nobody nests them deeper
    else:
        owner = getattr(callback, "__self__", None)
        found = [owner, attribute(owner, "_parent_task")]  # a task, or its TaskGroup
    return [item for item in found if futures.is_future(item)]


def _number(word: str) -> int | None:
    """The number that a word is, if it is one."""
    if word.isdecimal() or word.lower().startswith("0x"):
        try:
            return int(word) if word.isdecimal() else int(word, 0)
        except ValueError:
            return None
    return None


def _unquoted(text: str) -> str:
    return text.replace("'", "").replace('"', "")
