"""What a command answers: a document for programs, blocks for people.

A command builds these shapes; it does not know whether they become a coloured
table, plain text or JSON. ``render`` does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Style = Literal[
    "", "id", "name", "own", "library", "good", "warn", "bad", "dim", "heading", "fold", "rule"
]
"""What a piece of text means; ``render`` decides how that looks. ``fold``: a gap in a
cell that becomes a new line where the table is too wide. ``rule``: a character that is
drawn across the page."""


class Span(NamedTuple):
    """A piece of text with one meaning."""

    text: str
    style: Style = ""


Line = tuple[Span, ...]


def line(*pieces: str | tuple[str, Style] | Span) -> Line:
    """A line of text: plain strings, ``(text, style)`` pairs and spans."""
    return tuple(Span(piece) if type(piece) is str else Span(*piece) for piece in pieces)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        title: Heading, in capitals.
        align: ``left`` or ``right``.
        least: Cells that this column may be cut down to on a narrow terminal;
            0 means that it is never cut.
        spare: Left out where the table does not fit.
    """

    title: str
    align: Literal["left", "right"] = "left"
    least: int = 0
    spare: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; a cell is one or more lines."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[tuple[Line, ...], ...], ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Lines of prose, shown as they are."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of a command.

    Only one of the two is shown; what is dear to make may be given as a function.

    Attributes:
        document: What ``--json`` prints.
        blocks: What people see.
        exit_code: 0, or 1 when the command could not do what was asked.
    """

    document: dict[str, Any] | Callable[[], dict[str, Any]]
    blocks: tuple[Table | Text, ...] | Callable[[], tuple[Table | Text, ...]] = field(default=())
    exit_code: int = 0

    def told(self) -> dict[str, Any]:
        """The document."""
        return self.document() if callable(self.document) else self.document

    def shown(self) -> tuple[Table | Text, ...]:
        """The blocks."""
        return self.blocks() if callable(self.blocks) else self.blocks
