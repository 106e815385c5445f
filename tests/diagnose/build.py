"""Snapshots made by hand: a few words per task."""

from __future__ import annotations

from dataclasses import replace

from asyncconsole.model import Frame, Hold, Holder, Resource, Snapshot, Task, Wait, Waiter


def frame(line: int) -> Frame:
    return Frame("app.py", line, "work")


def lock_wait(lock: str, *, token: int, kind: str = "lock") -> Wait:
    return Wait(kind, f"Lock {lock}", resource=lock, since=5.0, token=token)


def await_wait(
    *tasks: int, token: int, kind: str = "task", needs: str = "all", opaque: bool = False
) -> Wait:
    return Wait(kind, "tasks", since=5.0, token=token, tasks=tasks, needs=needs, opaque=opaque)


def task(
    number: int, name: str, wait: Wait | None = None, holds: tuple[str, ...] = (), **more
) -> Task:
    return Task(
        number,
        name,
        "waiting" if wait is not None else "running",
        "work",
        1,
        wait=wait,
        frames=(frame(number),),
        holds=tuple(Hold(lock, 0, "app.py", 100 + number, "work") for lock in holds),
        **more,
    )


def snapshot(
    *tasks: Task,
    kinds: dict[str, str] | None = None,
    permits: dict[str, int | None] | None = None,
    sound: bool = True,
    certain: bool = True,
) -> Snapshot:
    """A snapshot whose primitives follow from what the tasks hold and wait for."""
    kinds = kinds or {}
    permits = permits or {}
    holders: dict[str, list[Holder]] = {}
    waiters: dict[str, list[Waiter]] = {}
    for item in tasks:
        for hold in item.holds:
            holders.setdefault(hold.resource, []).append(
                Holder(item.id, item.name, hold.file, hold.line, hold.function, certain=certain)
            )
        if item.wait is not None and item.wait.resource is not None:
            queue = waiters.setdefault(item.wait.resource, [])
            queue.append(Waiter(item.id, item.name, len(queue) + 1))
    made = []
    for lock in sorted({*holders, *waiters}):
        have = holders.get(lock, [])
        most = permits.get(lock, 1)
        made.append(
            Resource(
                lock,
                kinds.get(lock, "Lock"),
                f"LOCKS[{lock!r}]",
                "locked",
                locked=bool(have),
                holders=tuple(have),
                waiters=tuple(waiters.get(lock, ())),
                permits=most,
                sound=sound,
                accounted=certain and len(have) == most,
            )
        )
    return Snapshot(1, "app.py", "3.12", "2026-01-01T00:00:00Z", tasks=tasks, resources=tuple(made))


def moved(found: Snapshot, number: int) -> Snapshot:
    """The same program, but task ``number`` has been suspended anew since."""
    tasks = tuple(
        replace(item, wait=replace(item.wait, token=item.wait.token + 1000))
        if item.id == number and item.wait is not None
        else item
        for item in found.tasks
    )
    return replace(found, tasks=tasks)
