"""What a busy loop was seen to run, in many looks within a moment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Busy:
    """Looks at the thread of a loop that was never found waiting.

    Attributes:
        loop: Id of the loop.
        looks: How many looks there were.
        seconds: In which time.
        tasks: Looks in which a task ran or was ready to run.
        function: The callback that was most often found running or ready; "" for none.
        file: Where it is defined.
        line: Its first line.
        found: Looks in which it was found.
        turns: Different turns of the loop that were met; None when the loop doesn't tell.
        queue: False when the loop doesn't show which callbacks are ready.
        watched: True when the callback is that of a socket or pipe, which was ready.
        answer: Seconds until it ran a callback that it was given; None if it did not.
    """

    loop: int
    looks: int
    seconds: float
    tasks: int = 0
    function: str = ""
    file: str = ""
    line: int = 0
    found: int = 0
    turns: int | None = None
    queue: bool = True
    watched: bool = False
    answer: float | None = None
