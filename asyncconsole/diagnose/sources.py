"""Who can get at the futures that tasks wait on, as far as a frozen copy told."""

from __future__ import annotations

from collections.abc import Iterable

from asyncconsole.model import Snapshot

OUTER = frozenset(
    {"timer", "stream", "socket", "subprocess", "server", "executor", "pool", "thread"}
)
"""Kinds of waits that something outside of the program's objects ends."""


class Sources:
    """The references among blocked tasks, and which of them are in use.

    Args:
        snapshot: The program.
        moving: Ids of tasks that are known to have moved meanwhile.

    Attributes:
        known: Ids of the tasks of which it is known what can wake them.
        kept: See `asyncconsole.model.autopsy.Wakes`.
        keeps: Where suspended generators of a task stand, by its id.
    """

    def __init__(self, snapshot: Snapshot, moving: frozenset[int]) -> None:
        wakes = snapshot.autopsy.wakes if snapshot.autopsy is not None else None
        self._leads: dict[int, tuple[int, ...]] = {}
        self._owns: dict[int, tuple[int, ...]] = {}
        self._node: dict[int, int] = {}
        self._waiters: dict[int, list[int]] = {}
        self._live: set[int] = set()
        self._before: dict[int, list[int]] | None = None
        self._first: list[int] = []
        self._absent: list[int] = []
        self._shared: frozenset[int] = frozenset()
        if wakes is not None:
            self._leads = dict(wakes.leads)
            self._first = list(wakes.outside)
            self._shared = frozenset(wakes.shared)
            tokens = {
                task.id: task.wait.token
                for task in snapshot.tasks
                if task.wait is not None and task.id not in moving
            }
            for number, token, node, owns in wakes.tasks:
                self._owns[number] = owns
                if token and tokens.get(number) == token:
                    self._node[number] = node
                    self._waiters.setdefault(node, []).append(number)
                else:  # it has gone on, or nobody looked
                    self._absent += owns
        self.known = frozenset(self._node)
        self.kept = frozenset(wakes.kept if wakes is not None else ())
        self.keeps: dict[int, list[tuple[str, int, str]]] = {}
        for number, file, line, function in wakes.keeps if wakes is not None else ():
            self.keeps.setdefault(number, []).append((file, line, function))

    def common(self) -> frozenset[int]:
        """Ids of the tasks whose futures global variables lead to."""
        self._live = set()
        found = frozenset(self._spread(self._shared))
        self._live = set()
        return found

    def begin(self, *, lenient: bool) -> list[int]:
        """Start anew: ids of the tasks that something outside may wake.

        Args:
            lenient: What only global variables lead to is in nobody's hands.
        """
        self._live = set()
        if lenient:
            return self._spread(node for node in self._first if node not in self._shared)
        return self._spread(self._first + self._absent)

    def moves(self, task: int) -> list[int]:
        """A task may move, and use whatever it refers to: ids of those it may then wake."""
        return self._spread(self._owns.get(task, ()))

    def wakers(self, task: int, among: Iterable[int]) -> list[int]:
        """Those of some tasks that could wake a task if they moved, itself aside."""
        node = self._node.get(task)
        if node is None:
            return []
        if self._before is None:
            self._before = {}
            for leading, after in self._leads.items():
                for other in after:
                    self._before.setdefault(other, []).append(leading)
        reaching = {node}
        todo = [node]
        while todo:
            for other in self._before.get(todo.pop(), ()):
                if other not in reaching:
                    reaching.add(other)
                    todo.append(other)
        return [
            number
            for number in among
            if number != task and not reaching.isdisjoint(self._owns.get(number, ()))
        ]

    def _spread(self, nodes: Iterable[int]) -> list[int]:
        """Let nodes and all they lead to be in use: ids of the tasks that wait there."""
        woken: list[int] = []
        todo = [node for node in dict.fromkeys(nodes) if node not in self._live]
        self._live.update(todo)
        while todo:
            node = todo.pop()
            woken += self._waiters.get(node, ())
            for other in self._leads.get(node, ()):
                if other not in self._live:
                    self._live.add(other)
                    todo.append(other)
        return woken
