"""Results become text or JSON."""

from __future__ import annotations

from asyncconsole.model import Result
from asyncconsole.render.document import document
from asyncconsole.render.flow import flow
from asyncconsole.render.text import text

__all__ = ["flow", "show"]


def show(result: Result, *, json: bool, width: int | None = None, colour: bool = False) -> str:
    """What the person or script gets to see, ending in a newline (or empty)."""
    return document(result) if json else text(result, width=width, colour=colour)
