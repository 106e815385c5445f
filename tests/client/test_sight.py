"""What two readings of a silent process mean."""

from __future__ import annotations

import pytest

from asyncconsole.client.guard import Guard
from asyncconsole.client.outside.reading import Reading, Thread
from asyncconsole.client.outside.sight import Kind, Sight, judge

MAIN, CONSOLE = 100, 101
NAMES = {MAIN: "python", CONSOLE: "asyncconsole"}


def thread(tid: int, cpu: float, queued: float | None, switches: int, name: str = "") -> Thread:
    place = "" if tid == MAIN else "futex_wait_queue"
    return Thread(name or NAMES[tid], "R" if tid == MAIN else "S", cpu, queued, switches, 5, place)


def silent(
    switches: int, queued: float | None = 0.0, *, sleeps: int = 0, cpu: float = 1.0, name: str = ""
) -> str:
    """What is said of a second in which the console's thread asked for the GIL so often.

    Args:
        switches: How often it asked.
        queued: Seconds it waited for a CPU.
        sleeps: How often the main thread slept.
        cpu: CPU seconds that the main thread used.
        name: Of the main thread; python's for "".
    """
    none = None if queued is None else 0.0
    before = {MAIN: thread(MAIN, 3.0, none, 40, name), CONSOLE: thread(CONSOLE, 1.0, none, 900)}
    after = {
        MAIN: thread(MAIN, 3.0 + cpu, none, 40 + sleeps, name),
        CONSOLE: thread(CONSOLE, 1.002, queued, 900 + switches),
    }
    return judge(Reading(MAIN, 50.0, 0, before), Reading(MAIN, 51.0, 0, after)).kind


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"switches": 196}, "gil_held"),  # after each 5 ms
        ({"switches": 196, "name": "asyncconsole"}, "gil_held"),  # started by that script
        ({"switches": 98, "queued": 0.5}, "gil_held"),  # with half of a CPU
        ({"switches": 98, "queued": None}, "gil_held"),  # nobody counts the waits for a CPU
        ({"switches": 14_000}, "gil_held"),  # while a command runs
        ({"switches": 196, "cpu": 0.0}, "gil_held"),  # C code that sleeps
        ({"switches": 196, "sleeps": 500}, "gil_crowded"),
        ({"switches": 500}, "gil_crowded"),  # woken by each turn of 2 ms, none of which slept
        ({"switches": 196, "queued": 0.6}, "gil_crowded"),  # the same, for lack of a CPU
    ],
)
def test_who_has_the_gil(facts: dict[str, float], kind: str) -> None:
    assert silent(**facts) == kind  # type: ignore[arg-type]  # a table of both


class Events:
    """Remembers the kinds that a guard tells of."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def tell(self, event: str, words: str, *, kind: str, **_more: object) -> None:
        assert event == "freeze"
        assert words.startswith("is frozen: ")
        self.told.append(kind)


def test_a_guard_tells_again_what_becomes_clear() -> None:
    events = Events()
    guard = Guard(events, 0.0, 1.0)  # type: ignore[arg-type]  # what it needs of them
    kinds: tuple[Kind, ...] = ("no_cpu", "unclear", "gil_held", "unclear", "gil_held", "stopped")
    for kind in kinds:
        guard.seen(Sight(kind, 1.0, "it does that"), None)
    assert events.told == ["no_cpu", "gil_held"]
