"""Single keys, where a person has a terminal that gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Keys(Protocol):
    """Keys that a person presses.

    A key is a character, or a name: ``up``, ``down``, ``left``, ``right``, ``home``, ``end``,
    ``pageup``, ``pagedown``, ``enter``, ``tab``, ``backspace``, ``delete``, ``escape``,
    ``ctrl-c`` and the like. ``resize`` says that the window has changed, ``ahead`` that the
    person has typed the next line already.

    Attributes:
        ahead: True when more had been typed before the keys were taken: lines for later.
    """

    ahead: bool

    async def get(self, patience: float | None = None) -> str:
        """The next key; "" when none came within ``patience`` seconds.

        Raises:
            EOFError: The client has left.
        """

    def claim(self) -> None:
        """Take what was typed before as keys, too, where there is a choice."""

    def put(self, key: str) -> None:
        """Add what is no key of a person's; it is there once, however often it was added."""

    def give_back(self, keys: Sequence[str]) -> None:
        """These were meant for the next line, of which they are the beginning."""
