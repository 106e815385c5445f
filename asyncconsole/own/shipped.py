"""What libraries ship for the console: what was loaded, and what could not be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from asyncconsole.model import Gap

Kind = Literal["commands", "readers", "rules"]


@dataclass(frozen=True, slots=True)
class Extension:
    """Something that a library ships.

    Attributes:
        kind: The group of its entry point, without ``asyncconsole.``.
        name: Of the entry point.
        source: The distribution: ``pool 1.2``.
    """

    kind: Kind
    name: str
    source: str


loaded: list[Extension] = []
"""What works."""

gaps: dict[Extension, Gap] = {}
"""What was switched off, and why."""


def switch_off(extension: Extension, why: str) -> None:
    """Do without it from now on."""
    if extension in loaded:
        loaded.remove(extension)
    gaps[extension] = Gap(f"{extension.name} ({extension.kind}) of {extension.source}", why)
