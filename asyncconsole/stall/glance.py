"""What a loop does now, as seen from the side thread without giving the GIL back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asyncconsole.capture import futures
from asyncconsole.capture.loops import LoopBook, LoopFact, waiting_callbacks
from asyncconsole.stall.sample import Sample, take

if TYPE_CHECKING:
    from collections.abc import Callable


class Glance(NamedTuple):
    """What a loop was seen to do.

    Attributes:
        sample: The stack of its thread.
        task: Id and name of the task that it executes.
        late: Callbacks that wait for their turn.
    """

    sample: Sample | None
    task: tuple[int, str] | None
    late: int | None


def glance(fact: LoopFact, book: LoopBook, identify: Callable[[Any], tuple[int, str]]) -> Glance:
    """See what a loop does.

    Args:
        fact: The loop.
        book: Where it is known.
        identify: Gives id and name of a task object.
    """
    loop = fact.reference()
    task = None
    try:
        task = None if loop is None else futures.current(loop)
        name = None if task is None else identify(task)
    except Exception:
        name = None
    sample = None if fact.thread is None else take(fact.thread, book.door(fact.number))
    return Glance(sample, name, None if loop is None else waiting_callbacks(loop))
