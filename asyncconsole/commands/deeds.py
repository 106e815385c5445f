"""What a console can do to a task or a lock, and what may come of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CancelOutcome:
    """What came of one request to cancel.

    Attributes:
        task: Id of the task.
        name: Its name.
        outcome: ``cancelled``, ``finished`` (ended otherwise), ``swallowed`` (the
            request was caught and the task goes on), ``pending`` (nothing happened
            within the wait), ``blocked`` (its loop is blocked), ``done`` (had ended
            before).
        after: Seconds from request to outcome.
        detail: Where it left, which line caught it, or where the loop is blocked.
    """

    task: int
    name: str
    outcome: str
    after: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Throw:
    """Have a task's ``await`` raise.

    Attributes:
        task: Id of the task.
        token: The wait that is meant, see `asyncconsole.model.Wait.token`.
        exception: Name of the exception, ``TimeoutError`` or ``module.Name``.
        message: Its argument; None for none.
    """

    task: int
    token: int
    exception: str
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Resolve:
    """Complete the future that a task is suspended on.

    Attributes:
        task: Id of the task.
        token: The wait that is meant, see `asyncconsole.model.Wait.token`.
        value: The result.
    """

    task: int
    token: int
    value: object = None


@dataclass(frozen=True, slots=True)
class Release:
    """Give back a lock for whoever has it.

    Attributes:
        resource: Its id.
        loop: Id of the loop that it belongs to, if that is known.
    """

    resource: str
    loop: int | None = None


Deed = Throw | Resolve | Release


@dataclass(frozen=True, slots=True)
class DeedOutcome:
    """What came of a deed.

    Attributes:
        outcome: ``raised`` (the task ended with that very exception), ``finished`` or
            ``cancelled`` (it ended otherwise), ``goes_on``, ``released``, ``refused``
            (nothing was done), ``blocked`` (its loop did not get to it, and it was taken
            back), ``pending`` (it was done, and nothing came of it yet), ``done`` (the
            task had ended before).
        after: Seconds from request to outcome.
        detail: Where, or why.
    """

    outcome: str
    after: float
    detail: str = ""
