"""Every scenario of ``programs.py``, read in full and by the shorter ways; prints differences."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import asyncio

from programs import LOCKS, SCENARIOS, end_all, run

from asyncconsole.capture.program import Program
from asyncconsole.capture.slices import finish
from asyncconsole.diagnose import again, confirm
from asyncconsole.model import Snapshot


def row(task):
    """What `ps` shows, without what changes by itself."""
    wait = task.wait
    waits = None
    if wait is not None:
        name = "timer" if wait.kind == "timer" else wait.name
        waits = (wait.kind, wait.type, wait.resource, name, wait.token, wait.tasks, wait.needs)
    return (task.id, task.name, task.state, task.coro, task.loop, waits, task.frames)


def full(task):
    """What `where` shows of a task."""
    holds = [dataclasses.replace(hold, since=None) for hold in task.holds]
    return (row(task), holds, task.awaited_by, task.cancelling, task.gap)


def held(snapshot, number):
    item = snapshot.resource(number) if number else None
    if item is None:
        return None
    holders = [dataclasses.replace(holder, since=None) for holder in item.holders]
    return (item.id, item.type, item.name, item.state, sorted(h.task for h in holders), holders)


def same(what, one, other, found):
    if one != other:
        found.append(f"{what}: {one!r} is not {other!r}")


def judged(diagnosis):
    """Findings without their ages."""
    return [dataclasses.replace(finding, evidence=()) for finding in diagnosis.findings]


def compare(program):
    found = []
    whole = finish(program.capture())
    stay = {task.id for task in whole.tasks if task.wait is not None}  # others may be ending
    listed = [task for task in whole.tasks if task.id in stay]
    pieces = [piece for piece in program.stream() if type(piece) is Snapshot]
    streamed = [task for piece in pieces for task in piece.tasks if task.id in stay]
    same("stream", [row(task) for task in listed], [row(task) for task in streamed], found)
    first = finish(program.capture(first=1)).tasks
    same("first", stay & {t.id for t in whole.tasks[:1]}, stay & {t.id for t in first}, found)
    for task in listed:
        for word in (str(task.id), task.name, hex(task.address)):
            near = finish(program.around((word,), (), ()))
            mine = near.task(task.id)
            same(f"around {word}", full(task), mine and full(mine), found)
            for number in [task.wait and task.wait.resource, *(h.resource for h in task.holds)]:
                same(f"{word} {number}", held(whole, number), held(near, number), found)
    for item in whole.resources:
        if not stay.issuperset(waiter.task for waiter in item.waiters):
            continue
        near = finish(program.around((), (item.id,), ())).resource(item.id)
        waiters = near and [(w.task, w.position, w.role) for w in near.waiters]
        same(item.id, [(w.task, w.position, w.role) for w in item.waiters], waiters, found)
    wanted = again(whole)
    second = finish(program.capture(only=wanted))
    short = judged(confirm(whole, second, partial=True)) if wanted else []
    same("verdict", judged(confirm(whole, finish(program.capture()))), short, found)
    return found


def main():
    differences = {}
    for name, make in SCENARIOS.items():
        program = Program()
        loop, tasks, thread = run("asyncio", make)
        program.loops.note(loop)
        finish(program.capture())  # names are known from here on
        differences[name] = compare(program)
        for _ in range(200):
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(end_all, loop)
            thread.join(0.1)
            if not thread.is_alive():
                break
        assert not thread.is_alive(), (name, tasks)
        for key in LOCKS:
            LOCKS[key] = asyncio.Lock()
    json.dump(differences, sys.stdout)


if __name__ == "__main__":
    main()
