"""Cycles in a graph of tasks that need each other."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Edge:
    """``waiter`` can't go on before ``needed`` does."""

    waiter: int
    needed: int
    via: Literal["lock", "await"]
    resource: str | None = None


def is_cycle(group: list[int], edges: dict[int, list[Edge]]) -> bool:
    """True for several tasks in a circle, or one that needs itself."""
    return len(group) > 1 or any(edge.needed == group[0] for edge in edges[group[0]])


def components(edges: dict[int, list[Edge]]) -> list[list[int]]:
    """Strongly connected components (Tarjan's algorithm without recursion)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    on_stack: set[int] = set()
    stack: list[int] = []
    found: list[list[int]] = []
    for root, leaving in edges.items():
        if root in index:
            continue
        work = [(root, iter(leaving))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, following = work[-1]
            for edge in following:
                other = edge.needed
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(edges[other])))
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == index[node]:
                    group = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        group.append(member)
                        if member == node:
                            break
                    found.append(sorted(group))
    return found


def shortest_cycle(group: list[int], edges: dict[int, list[Edge]]) -> list[Edge]:
    """Edges of a shortest cycle through the first member that is on one."""
    members = set(group)
    best: list[Edge] = []
    for start in group[:100]:  # a big knot need not give its very shortest cycle
        came: dict[int, Edge] = {}
        todo = deque([start])
        seen = {start}
        while todo:
            node = todo.popleft()
            for edge in edges[node]:
                if edge.needed == start:
                    path = [edge]
                    while path[-1].waiter != start:
                        path.append(came[path[-1].waiter])
                    if not best or len(path) < len(best):
                        best = path[::-1]
                    todo.clear()
                    break
                if edge.needed in members and edge.needed not in seen:
                    seen.add(edge.needed)
                    came[edge.needed] = edge
                    todo.append(edge.needed)
        if best and len(best) <= 2:  # noqa: PLR2004 - no shorter cycle between tasks worth a search
            break
    return best


def victims_of(cyclic: list[list[int]], edges: dict[int, list[Edge]]) -> list[set[int]]:
    """For each cycle, the stuck tasks that only wait behind it; each belongs to one."""
    waiters: dict[int, list[int]] = {}
    for number, needs in edges.items():
        for edge in needs:
            waiters.setdefault(edge.needed, []).append(number)
    taken = {number for group in cyclic for number in group}
    found = []
    for group in cyclic:
        victims: set[int] = set()
        todo = list(group)
        while todo:
            for number in waiters.get(todo.pop(), ()):
                if number not in taken:
                    taken.add(number)
                    victims.add(number)
                    todo.append(number)
        found.append(victims)
    return found
