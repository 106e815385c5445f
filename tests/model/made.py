"""Made-up recordings: any values that the model allows, and ones of a size."""

from __future__ import annotations

from hypothesis import strategies as st

from asyncconsole.model import Frame, Loop, Resource, Snapshot, Task, Wait, Waiter, records
from asyncconsole.model.recording import Recording

st.register_type_strategy(float, st.floats(allow_nan=False))
st.register_type_strategy(str, st.text(max_size=8))


def item(kind):
    """Any record of a kind."""
    return st.from_type(records.KINDS[kind])


def program(tasks, places=50):
    """So many tasks in some places, all of which wait for one event."""
    stacks = [
        (
            Frame("/app/main.py", 10, "main"),
            Frame("/app/work.py", place, "work"),
            Frame("/usr/lib/python3/asyncio/locks.py", 212, "Event.wait", own=False),
        )
        for place in range(places)
    ]
    made = tuple(
        Task(
            number,
            f"work:{number}",
            "waiting",
            "work",
            1,
            address=140_000_000_000_000 + 160 * number,
            wait=Wait("event", "READY", "Event", "L1", since=number / 7, token=number),
            frames=stacks[number % places],
        )
        for number in range(1, tasks + 1)
    )
    waiters = tuple(Waiter(task.id, task.name, task.id, task.id / 7) for task in made)
    event = Resource("L1", "Event", "READY", "not set", waiters=waiters)
    return Recording(
        Snapshot(
            4242,
            "app.py",
            "3.13.0",
            "2026-01-01T00:00:00.000Z",
            loops=(Loop(1, "asyncio.Loop", "MainThread", tasks=tasks),),
            tasks=made,
            total=tasks,
            resources=(event,),
        )
    )


def lines(recording):
    """Its lines, as bytes."""
    return [line.encode() for line in records.lines(recording, recording.polls.get)]


def read(given):
    """What lines tell."""
    reader = records.Reader()
    for line in given:
        reader.take(line)
    return reader.recording()
