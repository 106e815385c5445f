"""From the innermost levels of an await stack to what the task waits for.

Everything asyncio offers to wait on is recognised by the code object that is
suspended (an exact fact), never by a name in a traceback.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import CodeType, FunctionType, GeneratorType
from typing import Any, NamedTuple

from asyncconsole.capture import futures, libraries, outside
from asyncconsole.capture.chain import Chain, Level
from asyncconsole.capture.code import code_facts
from asyncconsole.capture.exits import referents
from asyncconsole.capture.glue import uvloop
from asyncconsole.capture.objects import Types, attribute, cell, contents, type_name
from asyncconsole.capture.readers import Reader, reader_for, wait_codes
from asyncconsole.capture.shapes import code_of, kind_of
from asyncconsole.capture.waiting import Waiting, due_of, timer
from asyncconsole.model.task import Needs

MOST_CHILDREN = 100_000
_GATHER_CALLBACK = "gather.<locals>._done_callback"
_GROUPS = Types(set, frozenset, list)
DEEPEST = 50
"""Gathers and shields inside each other that are followed."""

_Known = dict[int, Waiting]
"""What futures met so far stand for, by ``id``: shared ones are followed once."""


def understand(chain: Chain, future: Any) -> Waiting:
    """What a task with this chain, suspended on ``future``, waits for."""
    found = libraries.waited(chain, future)
    if found is not None:
        due = due_of(referents(found.timed.owner)) if found.timed is not None else None
        return Waiting(found.kind, found.future, found.thing, opaque=not found.holdable, due=due)
    innermost = _library_levels(chain)
    for index, level in enumerate(innermost):
        if level.code in _WAIT_FOR_ONE:
            at = len(chain.levels) - len(innermost) + index
            nearest = _as_completed(chain.levels, at, future)
            if nearest is not None:
                return nearest
        known = wait_codes().get(level.code)
        if known is None:
            continue
        reader, kind = known
        thing = _first(level, reader.type)
        if thing is not None and reader.waits_for(thing, future, kind):
            return Waiting(kind, future, thing, opaque=not reader.holdable)
    for level in innermost:
        special = _SPECIAL.get(level.code) or uvloop_special(level)
        if special is not None:
            other = special(level, future)
            if other is not None:
                return other
    return of_future(future)


class Clue(NamedTuple):
    """A level that says what its task waits for.

    Attributes:
        at: Index of the level, outermost first.
        reader: Reads the primitive that is waited for there, or None.
        kind: Of the wait, with a reader.
        special: Reads what else can be waited for there, or None.
    """

    at: int
    reader: Reader | None
    kind: str
    special: Callable[[Level, Any], Waiting | None] | None


def clues(codes: list[CodeType]) -> tuple[Clue, ...] | None:
    """Which levels of a stack of asyncio's and the program's own code say what it waits for.

    Args:
        codes: Of the levels, outermost first.

    Returns:
        () is for a bare future; None for a stack that must be understood as a whole.
    """
    if any(code in _WAIT_FOR_ONE for code in codes):
        return None  # what it goes over is further out
    index = len(codes)
    while index and code_facts(codes[index - 1]).asyncio:
        index -= 1
    found = []
    for i in range(index, len(codes)):
        reader, kind = wait_codes().get(codes[i], (None, ""))
        special = _SPECIAL.get(codes[i])
        if reader is not None or special is not None:
            found.append(Clue(i, reader, kind, special))
    return tuple(found)


def follow(found: tuple[Clue, ...], owners: list[Any], future: Any) -> Waiting:
    """What a task waits for; same as `understand`, with what is known of its stack.

    Args:
        found: What `clues` gave.
        owners: The coroutine or generator of each level.
        future: The task is suspended on it.
    """
    for at, reader, kind, _ in found:
        if reader is not None:
            for thing in referents(owners[at]):
                if issubclass(type(thing), reader.type):
                    if reader.waits_for(thing, future, kind):
                        return Waiting(kind, future, thing, opaque=not reader.holdable)
                    break
    for at, _, _, special in found:
        if special is not None:
            owner = owners[at]
            other = special(Level(owner, code_of(owner), 0, kind_of(owner)), future)
            if other is not None:
                return other
    return of_future(future)


def uvloop_special(level: Level) -> Callable[[Level, Any], Waiting | None] | None:
    """How to read a level that is one of uvloop's own coroutines; None for all others."""
    name = uvloop.coroutine_name(level.code)
    return outside.by_name(name) if name else None


def _library_levels(chain: Chain) -> list[Level]:
    """The innermost run of asyncio's (and uvloop's) own levels, outermost of them first."""
    index = len(chain.levels)
    while index:
        code = chain.levels[index - 1].code
        if not code_facts(code).asyncio and not uvloop.coroutine_name(code):
            break
        index -= 1
    return chain.levels[index:]


def _first(level: Level, wanted: type | tuple[type, ...]) -> Any:
    """The first object of that type that the level's frame refers to."""
    for referent in referents(level.owner):
        if issubclass(type(referent), wanted):
            return referent
    return None


def of_future(future: Any, depth: int = 0, known: _Known | None = None) -> Waiting:
    """What a bare future stands for: a task, a gather, a shield, a job, or itself."""
    if futures.is_task(future):
        return Waiting("task", future, tasks=[future])
    known = {} if known is None else known
    if id(future) not in known:
        known[id(future)] = _of_future(future, depth, known)
    return known[id(future)]


def _of_future(future: Any, depth: int, known: _Known) -> Waiting:
    if issubclass(type(future), futures.GatheringFuture):
        return _gather(future, depth, known)
    if futures.is_future(future):
        outer = futures.callback_named(future, "shield.<locals>._outer_done_callback")
        inner = cell(outer, "inner") if outer is not None else None
        if futures.is_future(inner) and depth < DEEPEST:
            below = of_future(inner, depth + 1, known)
            return Waiting(
                "shield",
                future,
                tasks=below.tasks,
                needs=below.needs,
                opaque=below.opaque,
                jobs=below.jobs,
            )
        chained = futures.callback_named(future, "_chain_future.<locals>._call_check_cancel")
        if chained is not None:
            job = cell(chained, "source")
            jobs = [] if job is None else [job]
            return Waiting(
                "executor", future, opaque=True, jobs=jobs, phrase="a job in another thread"
            )
    return Waiting("future", future, thing=future, opaque=True)


def _gather(future: Any, depth: int, known: _Known) -> Waiting:
    children = attribute(future, "_children")
    children = list(children) if type(children) is list else []
    found = Waiting("gather", future, total=len(children), pending=0, needs="all_or_error")
    found.opaque = not children
    pending = [child for child in children[:MOST_CHILDREN] if not futures.done(child)]
    if pending:
        for callback in futures.callbacks(pending[0]):
            # A child of two gathers has the callbacks of both.
            if (
                type(callback) is FunctionType
                and callback.__qualname__ == _GATHER_CALLBACK
                and cell(callback, "outer") is future
                and cell(callback, "return_exceptions") is True
            ):
                found.needs = "all"
    _add(found, pending, depth, known)
    return found


def _add(found: Waiting, children: list[Any], depth: int, known: _Known) -> None:
    """Count the pending children of a gather or wait among what is waited for."""
    found.pending = len(children)
    tasks: dict[int, Any] = {}
    jobs: dict[int, Any] = {}
    for child in children:
        if futures.is_task(child):
            tasks[id(child)] = child
            continue
        below = of_future(child, depth + 1, known) if depth < DEEPEST else None
        if below is not None:
            jobs.update((id(job), job) for job in below.jobs)
        if below is None or below.opaque or not below.tasks:
            found.opaque = True
        elif len(below.tasks) == 1 or below.needs == found.needs:
            tasks.update((id(task), task) for task in below.tasks)
        else:
            found.opaque = True  # an "all" inside an "any": more than this model can say
    found.tasks = list(tasks.values())
    found.jobs = list(jobs.values())


def _asyncio_wait(level: Level, future: Any) -> Waiting | None:
    """``asyncio.wait``: the set of futures is a local of ``_wait``."""
    held = referents(level.owner)
    group = next((item for item in held if type(item) in _GROUPS and _all_futures(item)), None)
    if group is None:
        return None
    when = next((item for item in held if type(item) is str and item in _NEEDS), None)
    found = Waiting("wait", future, total=len(group))
    found.needs = _NEEDS.get(when, "any") if when else "any"
    found.due = due_of(_cells(held))
    _add(found, [child for child in list(group) if not futures.done(child)], 0, {})
    return found


_NEEDS: dict[str, Needs] = {
    asyncio.ALL_COMPLETED: "all",
    asyncio.FIRST_EXCEPTION: "all_or_error",
    asyncio.FIRST_COMPLETED: "any",
}


def _all_futures(group: Any) -> bool:
    items = list(group)
    return bool(items) and all(futures.is_future(item) for item in items[:100])


def _as_completed(levels: list[Level], index: int, future: Any) -> Waiting | None:
    """The next of ``asyncio.as_completed``: an object since 3.13, before that a generator.

    The generator is what the ``for`` loop of a level further out goes over.
    """
    held = referents(levels[index].owner)
    iterator = _first(levels[index], _Iterator) if _Iterator is not None else None
    todo: Any = None
    due: float | None = None
    if iterator is not None:
        todo = attribute(iterator, "_todo")
        due = due_of([attribute(iterator, "_timeout_handle")])
    else:
        queue = next((item for item in _cells(held) if type(item) is asyncio.Queue), None)
        for level in reversed(levels[:index]):
            for item in referents(level.owner):
                if type(item) is GeneratorType and item.gi_code is _AS_COMPLETED:
                    inside = _cells(referents(item))
                    if any(thing is queue for thing in inside):
                        todo = next((thing for thing in inside if type(thing) is set), None)
                        due = due_of(inside)
    if type(todo) is not set:
        return Waiting("as_completed", future, opaque=True, phrase="as_completed, the next one")
    found = Waiting("as_completed", future, needs="any", due=due)
    left = list(todo)
    _add(found, left, 0, {})
    # One that has ended already is about to wake the waiter.
    found.opaque = found.opaque or any(map(futures.done, left))
    found.phrase = f"as_completed, the next of {len(left)}"
    return found


def _cells(held: list[Any]) -> list[Any]:
    """These objects and the values of the closure variables among them."""
    from types import CellType  # noqa: PLC0415 - for the cells alone

    cells = tuple(item for item in held if type(item) is CellType)
    return [*held, *contents(cells)]


_Iterator: Any = getattr(asyncio.tasks, "_AsCompletedIterator", None)
_AS_COMPLETED = asyncio.as_completed.__code__


def _wait_for_one() -> frozenset[CodeType]:
    """Code of what a consumer of ``as_completed`` awaits."""
    if _Iterator is not None:
        names = outside.codes(_Iterator, "_wait_for_one")
        return frozenset(names)
    return frozenset(
        item
        for item in _AS_COMPLETED.co_consts
        if type(item) is CodeType and item.co_name == "_wait_for_one"
    )


_WAIT_FOR_ONE = _wait_for_one()


def _wait_for(level: Level, future: Any) -> Waiting | None:
    """``asyncio.wait_for`` before 3.12: a task of its own, and a waiter with a timer."""
    held = referents(level.owner)
    inner = next((item for item in held if futures.is_future(item) and item is not future), None)
    if inner is None:
        return None
    below = of_future(inner)
    return Waiting(
        "wait_for",
        future,
        tasks=below.tasks,
        opaque=below.opaque,
        due=due_of(held),
        jobs=below.jobs,
    )


def _task_group(level: Level, future: Any) -> Waiting | None:
    """``TaskGroup.__aexit__``: waits until every child has ended."""
    group = _first(level, asyncio.TaskGroup) if hasattr(asyncio, "TaskGroup") else None
    children = attribute(group, "_tasks") if group is not None else None
    if type(children) is not set:
        return None
    tasks = [task for task in list(children) if not futures.done(task)]
    return Waiting(
        "task_group",
        future,
        tasks=[task for task in tasks if futures.is_task(task)],
        needs="all" if attribute(group, "_errors") else "all_or_error",
        pending=len(tasks),
        opaque=not tasks,
    )


def _sleep(level: Level, future: Any) -> Waiting | None:
    held = referents(level.owner)
    for item in held:  # thousands of tasks sleep: the usual handle is found without asking all
        if type(item) is asyncio.TimerHandle:
            return Waiting("timer", future, opaque=True, due=timer(item))
    return Waiting("timer", future, opaque=True, due=due_of(held))


def _communicate(level: Level, future: Any) -> Waiting | None:
    """``Process.communicate``: a gather of the tasks that feed and read its pipes."""
    found = of_future(future)
    pid = outside.pid_of(referents(level.owner))
    if pid is not None and found.kind == "gather":
        found.details.append(("pid", pid))
        pipes = "1 pipe" if found.pending == 1 else f"{found.pending} pipes"
        found.phrase = f"communicate with child process {pid}, {pipes} left"
        return found
    return None


def _special() -> dict[CodeType, Callable[[Level, Any], Waiting | None]]:
    """Asyncio's own functions that are not primitives but can be waited in."""
    found: dict[CodeType, Callable[[Level, Any], Waiting | None]] = dict(outside.readers())

    def register(reader: Callable[[Level, Any], Waiting | None], codes: list[CodeType]) -> None:
        found.update(dict.fromkeys(codes, reader))

    register(_asyncio_wait, outside.codes(asyncio.tasks, "_wait"))
    register(_wait_for, outside.codes(asyncio.tasks, "wait_for"))
    register(_sleep, outside.codes(asyncio.tasks, "sleep"))
    register(_communicate, outside.codes(asyncio.subprocess.Process, "communicate"))
    if hasattr(asyncio, "TaskGroup"):
        register(_task_group, outside.codes(asyncio.TaskGroup, "__aexit__", "_aexit"))
    return found


_SPECIAL = _special()


def describe(thing: Any) -> str:
    """Type name of a primitive as people call it."""
    if any(type(thing) is plain for plain in futures.FUTURES):
        return "Future"
    reader = reader_for(thing)
    return type_name(thing) if reader is None else reader.called(thing)
