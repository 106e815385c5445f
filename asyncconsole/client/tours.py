"""What there is to see in each demo app, for those who can't type: scripted runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a tour.

    Attributes:
        command: What is typed.
        expect: Text that must be in the answer.
    """

    command: str
    expect: str = ""


@dataclass(frozen=True, slots=True)
class Tour:
    """A walk through one demo app.

    Attributes:
        summary: What goes wrong in the app.
        ask: Command whose document tells whether it has gone wrong yet.
        ready: True once that document shows it.
        steps: What to type then.
        after: ``(command, test)`` that must hold at the end, or None.
    """

    summary: str
    ask: str
    ready: Callable[[Document], bool]
    steps: tuple[Step, ...]
    after: tuple[str, Callable[[Document], bool]] | None = None


def _deadlocked(diagnosis: Document) -> bool:
    return any(f.get("verdict") == "deadlock" for f in diagnosis.get("findings", ()))


def _deadlocked_with_victim(diagnosis: Document) -> bool:
    """Also the audit, which comes a second later, waits by now."""
    findings = diagnosis.get("findings", ())
    names = {task["name"] for finding in findings for task in finding.get("tasks", ())}
    return _deadlocked(diagnosis) and "audit" in names


def _blocked(stalls: Document) -> bool:
    return any(stall.get("ongoing") for stall in stalls.get("stalls", ()))


def _names(tasks: Document) -> set[str]:
    return {task["name"] for task in tasks.get("tasks", ())}


def _function(tasks: Document, name: str) -> str:
    """The function in which the task called ``name`` is; "" without one."""
    for task in tasks.get("tasks", ()):
        if task["name"] == name:
            return str((task.get("where") or {}).get("function") or "")
    return ""


def _no_answers(tasks: Document) -> bool:
    callers = [task for task in tasks.get("tasks", ()) if task["name"].startswith("call:")]
    waiting = [task for task in callers if task["state"] == "waiting"]
    return bool(callers) and waiting == callers and "rpc-reader" not in _names(tasks)


def _no_consumer(tasks: Document) -> bool:
    return "consumer" not in _names(tasks) and _function(tasks, "publisher").endswith("flush")


def _busy(tasks: Document) -> bool:
    return {"restock", "worker:0", "shopper:0"} <= _names(tasks)


def _goes_on(diagnosis: Document) -> bool:
    return not _deadlocked(diagnosis)


TOURS = {
    "bank": Tour(
        summary="two transfers take two account locks in opposite order: a deadlock",
        ask="deadlocks",
        ready=_deadlocked_with_victim,
        steps=(
            Step("ps", expect="transfer:b→a"),
            Step("locks", expect="ACCOUNTS['bob']"),
            Step("where transfer:a→b", expect="transfer"),
            Step("deadlocks", expect="Found 1 deadlock"),
            Step("cancel transfer:b→a", expect="cancelled"),
            Step("ps", expect="audit"),
        ),
        after=("deadlocks", _goes_on),
    ),
    "ledger": Tour(
        summary="an import makes a blocking call: the event loop stands still for 10 s at a time",
        ask="stalls",
        ready=_blocked,
        steps=(
            Step("loops"),
            Step("ps", expect="nightly-import"),
            Step("where nightly-import", expect="read_ledger"),
            Step("stalls", expect="read_ledger"),
        ),
    ),
    "rpc": Tour(
        summary="a reader dies of a duplicate answer: callers wait for futures nobody resolves",
        ask="ps",
        ready=_no_answers,
        steps=(
            Step("ps", expect="call:balance"),
            Step("where call:balance", expect="call"),
            Step("tree", expect="call:rate"),
            Step("cancel call:balance", expect="cancelled"),
            Step("ps", expect="call:rate"),
        ),
    ),
    "events": Tour(
        summary="a consumer dies of a malformed event: the publisher waits in queue.join for ever",
        ask="ps",
        ready=_no_consumer,
        steps=(
            Step("ps", expect="publisher"),
            Step("locks", expect="EVENTS"),
            Step("where publisher", expect="flush"),
        ),
    ),
    "shop": Tour(
        summary="nothing: a busy web shop with its own customers, for comparison (wants aiohttp)",
        ask="ps",
        ready=_busy,
        steps=(
            Step("loops"),
            Step("ps", expect="restock"),
            Step("locks"),
            Step("deadlocks"),
        ),
        after=("deadlocks", _goes_on),
    ),
}
"""Demo apps by name; ``bank`` is the one that a plain ``demo`` shows."""
