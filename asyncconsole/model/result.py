"""What a command answers: a document for programs, blocks for people.

A command builds these shapes; it does not know whether they become a coloured
table, plain text or JSON. ``render`` does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
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
class Texts:
    """A table whose cells are all one line, as nothing but text.

    Attributes:
        columns: As in `Table`.
        cells: The texts of each column, from top to bottom.
    """

    columns: tuple[Column, ...]
    cells: tuple[list[str], ...]

    def table(self) -> Table:
        """The same as a table."""
        rows = zip(*self.cells, strict=True)
        return Table(
            self.columns, tuple([tuple([((Span(text),),) for text in row]) for row in rows])
        )


@dataclass(frozen=True, slots=True)
class Text:
    """Lines of prose, shown as they are."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a long answer.

    Attributes:
        documents: What ``--json`` prints of them.
        table: What people see of them; the columns of all parts are alike.
        texts: The same table without its styles, for who shows none; None where it is dear.
    """

    documents: Callable[[], list[dict[str, Any]]]
    table: Callable[[], Table]
    texts: Callable[[], Texts] | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """A long answer that is read, shown and forgotten part by part.

    Attributes:
        key: Of the list in the document that has the rows.
        parts: The rows; at least one part.
        document: The document without the list, once all parts are read: what stands
            in front of it is asked for first.
        first: Keys that stand in front of the list.
        blocks: What people see below the table, once all parts are read.
    """

    key: str
    parts: AsyncIterator[Part]
    document: Callable[[], dict[str, Any]]
    first: tuple[str, ...]
    blocks: Callable[[], tuple[Table | Text, ...]]


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of a command.

    Only one of the two is shown; what is dear to make may be given as a function.

    Attributes:
        document: What ``--json`` prints.
        blocks: What people see.
        exit_code: 0, or 1 when the command could not do what was asked.
        flow: Instead of both, for what is too long to have at once.
        stream: Likewise, text that is shown as it is; whoever asks for it can't choose how.
    """

    document: dict[str, Any] | Callable[[], dict[str, Any]]
    blocks: tuple[Table | Text, ...] | Callable[[], tuple[Table | Text, ...]] = field(default=())
    exit_code: int = 0
    flow: Flow | None = None
    stream: AsyncIterator[str] | None = None

    @property
    def passed(self) -> bool:
        """True when it is shown part by part, and nothing of it is left to show at the end."""
        return self.flow is not None or self.stream is not None

    def told(self) -> dict[str, Any]:
        """The document."""
        return self.document() if callable(self.document) else self.document

    def shown(self) -> tuple[Table | Text, ...]:
        """The blocks."""
        return self.blocks() if callable(self.blocks) else self.blocks
