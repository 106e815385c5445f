"""What the console was told to allow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """What sessions may do.

    Attributes:
        read_only: Nothing that changes the program.
        repl: True when ``console`` may be used.
    """

    read_only: bool = False
    repl: bool = True
