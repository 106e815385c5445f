"""Groups of tasks that can never go on."""

from __future__ import annotations

from dataclasses import dataclass

from asyncconsole.diagnose.cycles import Edge


@dataclass(frozen=True, slots=True)
class Knot:
    """Tasks that wait for each other, and those behind them.

    Attributes:
        cycle: Ids along one shortest cycle, each waiting for the next.
        edges: The edges of that cycle, in order.
        members: Everyone that is part of a cycle, sorted.
        victims: Everyone that only waits behind, sorted.
        doubts: Why this is not a proof; empty for a strict reading.
    """

    cycle: tuple[int, ...]
    edges: tuple[Edge, ...]
    members: tuple[int, ...]
    victims: tuple[int, ...]
    doubts: tuple[str, ...] = ()

    @property
    def resources(self) -> tuple[str, ...]:
        """Ids of the primitives on the cycle."""
        return tuple(edge.resource for edge in self.edges if edge.resource is not None)


@dataclass(frozen=True, slots=True)
class Island:
    """Tasks that wait for one thing which nothing that still moves can get at.

    Attributes:
        members: Who waits for it, sorted.
        victims: Everyone that only waits behind these, sorted.
        resource: Id of what they wait for; None for a future that has no number.
        doubts: Why this is not a proof; empty for a strict reading.
    """

    members: tuple[int, ...]
    victims: tuple[int, ...]
    resource: str | None
    doubts: tuple[str, ...] = ()
