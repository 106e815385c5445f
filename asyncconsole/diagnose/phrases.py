"""The words that findings are made of."""

from __future__ import annotations

from asyncconsole.model import Frame, Hold, Resource, Snapshot, Task
from asyncconsole.model.ended import Ended

AWAITS = {
    "task": "awaits",
    "gather": "gathers",
    "wait": "waits (asyncio.wait) for",
    "wait_for": "awaits (wait_for)",
    "shield": "awaits (shield)",
    "task_group": "waits (TaskGroup) for",
}


def base(file: str) -> str:
    """A path's last part."""
    return file.replace("\\", "/").rpartition("/")[2]


def place(file: str, line: int, function: str) -> str:
    """``bank.py:20 in transfer``."""
    return f"{base(file)}:{line} in {function}"


def spot(frame: Frame | None) -> str:
    """``bank.py:20 in transfer``, or ""."""
    return place(frame.file, frame.line, frame.function) if frame is not None else ""


def who(task: Task) -> str:
    """``transfer:a→b (2)``."""
    return f"{task.name} ({task.id})"


def what(item: Resource) -> str:
    """``Lock ACCOUNTS['bob'] (L2)``."""
    return f"{item.type} {item.name} ({item.id})"


def where(task: Task) -> str:
    """``bank.py:22 in transfer``, or "an unknown place"."""
    frame = task.where
    return (
        place(frame.file, frame.line, frame.function) if frame is not None else "an unknown place"
    )


def lasting(seconds: float | None, *, exact: bool = False) -> str:
    """``≥ 12 s``, with a digit after the point below ten seconds."""
    if seconds is None:
        return ""
    text = f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004 - two digits are enough
    return text if exact else f"≥ {text}"


def hold_of(task: Task, resource: str) -> Hold | None:
    """The task's hold on a primitive."""
    return next((hold for hold in task.holds if hold.resource == resource), None)


def holds(task: Task, item: Resource) -> str:
    """``transfer:a→b (2) holds Lock ACCOUNTS['alice'] (L1), taken at bank.py:20 in transfer``."""
    hold = hold_of(task, item.id)
    taken = ""
    if hold is not None and hold.line:
        taken = f", taken at {place(hold.file, hold.line, hold.function)}"
    verb = "holds" if hold is None or hold.certain else "probably holds"
    return f"{who(task)} {verb} {what(item)}{taken}"


def waits(snapshot: Snapshot, task: Task, following: Task | None) -> str:
    """``transfer:a→b (2) waits for Lock ... at bank.py:22 in transfer, ≥ 12 s``."""
    wait = task.wait
    if wait is None:
        return f"{who(task)} runs"
    since = lasting(wait.since, exact=wait.exact)
    item = snapshot.resource(wait.resource) if wait.resource is not None else None
    if item is not None:
        return f"{who(task)} waits for {what(item)} at {where(task)}, {since}"
    verb = AWAITS.get(wait.kind, "waits for")
    target = who(following) if following is not None else wait.name
    return f"{who(task)} {verb} {target} at {where(task)}, {since}"


def counted(count: int, noun: str) -> str:
    """``1 task``, ``2 tasks``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(words: list[str], most: int = 3) -> str:
    """``a``, ``a and b``, ``a, b and 3 more``."""
    if len(words) > most + 1:
        return f"{', '.join(words[:most])} and {len(words) - most} more"
    if len(words) < 2:  # noqa: PLR2004 - nothing to join
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def fate(ended: Ended) -> str:
    """How a task ended: ``died of KeyError('x') at rpc.py:12 in read``."""
    at = ended.raised
    spot = f" at {place(at.file, at.line, at.function)}" if at is not None else ""
    if ended.outcome == "raised":
        return f"died of {ended.exception or 'an exception'}{spot}"
    if ended.outcome == "cancelled":
        by = f" by {ended.cancelled_by}" if ended.cancelled_by not in {"", "unknown"} else ""
        return f"was cancelled{by}"
    if ended.outcome == "destroyed":
        return f"was garbage collected while it was pending{spot}"
    if ended.outcome == "gone":
        return "has ended, nobody saw how"
    return "has returned"
