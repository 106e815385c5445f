"""Errors with one meaning each; the message is one line that says what to do."""

from __future__ import annotations


class ConsoleError(Exception):
    """Anything this package reports to a person in one line.

    ``exit_code`` is what a client's process ends with.
    """

    exit_code = 1


class UsageError(ConsoleError):
    """The words of a command are wrong: unknown command, option, task or lock."""

    exit_code = 2


class UnknownItemError(ConsoleError):
    """A command names a task or lock that is not there (any more)."""


class TargetMissingError(ConsoleError):
    """There is no such console, or it can't be reached."""

    exit_code = 3


class DeadlineError(ConsoleError):
    """The target did not answer in time."""

    exit_code = 4
