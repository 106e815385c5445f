"""A reader that a library brings along: it needs to know nothing of this folder's words."""

from __future__ import annotations

from typing import Any

from asyncconsole.capture.chain import Level
from asyncconsole.capture.libraries.library import LibraryReader, first
from asyncconsole.capture.objects import module_of
from asyncconsole.capture.readers.reader import Facts, Reader


class ShippedReader(LibraryReader):
    """Passes on what a plain `Reader` says.

    Args:
        reader: The library's.
    """

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader.type, reader.waits)
        self.library = module_of(reader.type).partition(".")[0]
        self.holdable = reader.holdable
        self.title = reader.title
        self.lends = reader.lends
        self._reader = reader

    def waited(self, levels: list[Level], future: Any) -> Any:
        """The primitive that a task waits for."""
        thing = first(levels[0], self.type)
        kind = self.waits[levels[0].code]
        return thing if thing is not None and self._reader.waits_for(thing, future, kind) else None

    def read(self, thing: Any) -> Facts:
        """Its state."""
        return self._reader.read(thing)

    def guards(self, thing: Any) -> Any:
        """The primitive that is really held when ``thing`` is."""
        return self._reader.guards(thing)

    def trusted(self, thing: Any) -> bool:
        """Whether an exit of ``thing`` in force proves that it is held."""
        return self._reader.trusted(thing)

    def owners(self, thing: Any) -> tuple[Any, ...] | None:
        """All tasks that have it, where it keeps them itself."""
        return self._reader.owners(thing)

    def parts(self, thing: Any) -> tuple[Any, ...]:
        """Primitives that it is made of."""
        return self._reader.parts(thing)
