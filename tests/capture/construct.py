"""What the ``constructs_*`` modules share: the register of constructs, and things to await."""

from __future__ import annotations

from tests.capture.recorded import pause

CASES = {}
PARTLY = {}
"""Constructs of which not everything can be read, and why."""


def case(function):
    """A construct: called with a House, it gives the coroutine to run."""
    CASES[function.__name__] = function
    return function


def partly(why):
    """A construct of which not everything can be read."""

    def mark(function):
        PARTLY[function.__name__] = why
        return case(function)

    return mark


async def nop(*args, **kwargs):
    """Suspend, and give the first argument back."""
    await pause()
    return args[0] if args else None


async def boom(*args):
    """Suspend and fail."""
    await pause()
    raise ValueError("boom")


class Box:
    """An object with attributes and methods to call with something pending."""

    def __init__(self, **values):
        self.__dict__.update(values)

    def take(self, *args, **kwargs):
        return args

    def __getitem__(self, key):
        return key

    def __setitem__(self, key, value):
        pass
