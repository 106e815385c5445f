"""What the console was told to allow."""

from __future__ import annotations

from dataclasses import dataclass

IDLE = 3600.0
"""Seconds a client may say nothing, unless `start` is told otherwise."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What sessions may do.

    Attributes:
        read_only: Nothing that changes the program.
        repl: True when ``console`` may be used.
        idle: Seconds a client may say nothing.
    """

    read_only: bool = False
    repl: bool = True
    idle: float = IDLE
