"""Words and cells that several commands share."""

from __future__ import annotations

from collections.abc import Sequence

from asyncconsole.diagnose.phrases import base, lasting
from asyncconsole.model import Frame, Gap, Line, Resource, Snapshot, Task, Wait, line
from asyncconsole.model.result import Style

__all__ = [
    "STATES",
    "Style",
    "age",
    "base",
    "brief",
    "creation",
    "frame_document",
    "gaps",
    "missing",
    "plural",
    "resource_document",
    "since",
    "spot",
    "task_document",
    "thing",
    "waiting",
]

STATES: dict[str, Style] = {"running": "good", "ready": "good", "waiting": "", "sleeping": "dim"}


def spot(frame: Frame | None) -> Line:
    """``bank.py:22 transfer``; the person's own code stands out."""
    if frame is None:
        return line(("?", "dim"))
    if frame.kind == "object":
        return line((frame.function, "library"))
    if not frame.file:
        return line(("a line that is not known", "dim"))
    return line(
        (f"{base(frame.file)}:{frame.line} {frame.function}", "own" if frame.own else "library")
    )


def age(seconds: float | None, *, exact: bool = False) -> str:
    """``≥ 12 s``, ``3 min``, ``2.0 h``; "" when unknown."""
    if seconds is None:
        return ""
    mark = "" if exact else "≥ "
    if seconds < 120:  # noqa: PLR2004 - two minutes still read well as seconds
        return lasting(seconds, exact=exact)
    if seconds < 7200:  # noqa: PLR2004 - so do two hours as minutes
        return f"{mark}{seconds / 60:.0f} min"
    return f"{mark}{seconds / 3600:.1f} h"


def brief(seconds: float) -> str:
    """``31 ms``, ``1.5 s``, ``40 µs``: for what takes less than minutes."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size * 0.9995:
            return f"{seconds / size:.3g} {unit}" if seconds < 1000 * size else f"{seconds:.0f} s"
    return f"{seconds * 1e6:.3g} µs"


def waiting(wait: Wait | None) -> str:
    """``Lock ACCOUNTS['bob'] (L2)``; "" for a task that doesn't wait."""
    if wait is None:
        return ""
    return f"{thing(wait)} ({wait.resource})" if wait.resource else wait.name


def thing(wait: Wait) -> str:
    """``Lock ACCOUNTS['bob']``, or the words for what is no primitive."""
    return f"{wait.type} {wait.name}" if wait.type else wait.name


def since(wait: Wait | None) -> str:
    """How long a wait has lasted."""
    return age(wait.since, exact=wait.exact) if wait is not None else ""


def frame_document(frame: Frame | None) -> dict[str, str | int] | None:
    """A frame as ``--json`` shows it."""
    if frame is None:
        return None
    return {"file": frame.file, "line": frame.line, "function": frame.function}


def task_document(task: Task) -> dict[str, object]:
    """A task as ``ps --json`` shows it."""
    wait = task.wait
    return {
        "id": task.id,
        "name": task.name,
        "state": task.state,
        "coro": task.coro,
        "loop": task.loop,
        "waiting": None
        if wait is None
        else {
            "kind": wait.kind,
            "resource": wait.resource,
            "name": wait.name,
            "since": round(wait.since, 3),
            "due": None if wait.due is None else round(wait.due, 3),
            "tasks": list(wait.tasks),
            "thread": wait.thread,
            "details": dict(wait.details),
        },
        "where": frame_document(task.where),
        "created": task.created,
        "age": None if task.age is None else round(task.age, 3),
    }


def resource_document(item: Resource) -> dict[str, object]:
    """A primitive as ``locks --json`` shows it."""
    return {
        "id": item.id,
        "type": item.type,
        "name": item.name,
        "state": item.state,
        "holders": [
            {
                "task": holder.task,
                "name": holder.name,
                "file": holder.file,
                "line": holder.line,
                "function": holder.function,
                "since": None if holder.since is None else round(holder.since, 3),
                "how": holder.how,
                "certain": holder.certain,
            }
            for holder in item.holders
        ],
        "waiters": [
            {
                "task": waiter.task,
                "name": waiter.name,
                "position": waiter.position,
                "since": round(waiter.since, 3),
                "role": waiter.role,
            }
            for waiter in item.waiters
        ],
        "unknown": item.unknown,
        "details": dict(item.details),
    }


def creation(when: str | None, creator: str, frames: tuple[Frame, ...]) -> list[Line]:
    """How a task came to be, in lines; none when it was not recorded."""
    if when is None:
        return []
    by = f" by {creator}" if creator else ""
    lines = [line(f"  created {when}{by}")]
    for index, frame in enumerate(frames):
        lines.append(line("    at " if not index else "    from ", *spot(frame)))
    return lines


def gaps(snapshot: Snapshot) -> list[Line]:
    """What could not be read, in one dim line."""
    return missing(snapshot.gaps)


def missing(found: Sequence[Gap]) -> list[Line]:
    """Gaps in one dim line; no line without any."""
    if not found:
        return []
    first = found[0]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return [line((f"not read: {first.what}: {first.why}{more}", "dim"))]


def plural(count: int, word: str) -> str:
    """``1 task``, ``2 tasks``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
