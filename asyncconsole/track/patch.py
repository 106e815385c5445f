"""A method of somebody else's class, replaced until further notice."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from asyncconsole.capture.readers.reader import home

_ABSENT: Any = object()


class Patch:
    """Puts a function in a class's place for another, and takes it back.

    Args:
        owner: The class.
        name: The method.
        function: What stands there from now on.
    """

    def __init__(self, owner: type, name: str, function: Any) -> None:
        self._owner = owner
        self._name = name
        self._function = function
        self._before = owner.__dict__.get(name, _ABSENT)
        setattr(owner, name, function)

    def off(self) -> bool:
        """Put back what stood there.

        Returns:
            False when somebody has patched the method since: ours must stay below theirs,
            and is expected to do nothing of its own any more.
        """
        if self._owner.__dict__.get(self._name) is not self._function:
            return False
        if self._before is _ABSENT:
            delattr(self._owner, self._name)
        else:
            setattr(self._owner, self._name, self._before)
        return True


def stock(owner: type, name: str) -> bool:
    """True when a method is the standard library's own, patched by nobody."""
    function = getattr(owner, name, None)
    return type(function) is FunctionType and function.__code__.co_filename == home(owner)
