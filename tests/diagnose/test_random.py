"""The fixpoint against a simulation that knows nothing of it, on random programs."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from asyncconsole.diagnose.graph import Graph, components
from tests.diagnose.build import await_wait, lock_wait, snapshot, task


@st.composite
def programs(draw):
    """Tasks that hold some locks and wait for a lock, for tasks, or for nothing."""
    count = draw(st.integers(1, 8))
    locks = [f"L{n}" for n in range(draw(st.integers(1, 5)))]
    owner = {lock: draw(st.integers(0, count)) for lock in locks}
    tasks = []
    for number in range(1, count + 1):
        kind = draw(st.sampled_from(["run", "lock", "all", "any"]))
        wait = None
        if kind == "lock":
            wait = lock_wait(draw(st.sampled_from(locks)), token=number)
        elif kind != "run":
            others = draw(st.lists(st.integers(1, count), min_size=1, max_size=3, unique=True))
            wait = await_wait(*others, token=number, needs=kind)
        held = tuple(lock for lock in locks if owner[lock] == number)
        tasks.append(task(number, f"t{number}", wait, held))
    return snapshot(*tasks)


def played(found) -> set[int]:
    """Let whoever can go on end and give back its locks, until nobody can."""
    alive = {item.id: item for item in found.tasks}
    free = {item.id for item in found.resources if not item.holders}
    while True:
        able = [item for item in alive.values() if _able(item, alive, free)]
        if not able:
            return set(alive)
        for item in able:
            del alive[item.id]
            free.update(hold.resource for hold in item.holds)


def _able(item, alive, free) -> bool:
    wait = item.wait
    if wait is None:
        return True
    if wait.resource is not None:
        return wait.resource in free
    ended = [number not in alive for number in wait.tasks]
    return all(ended) if wait.needs == "all" else any(ended)


@settings(max_examples=400, deadline=None)
@given(programs())
def test_stuck_is_what_no_play_can_free(found):
    assert Graph(found).stuck() == played(found)


@settings(max_examples=200, deadline=None)
@given(programs())
def test_every_knot_is_a_cycle_of_stuck_tasks_and_every_stuck_task_has_one(found):
    graph = Graph(found)
    stuck = graph.stuck()
    knots = graph.knots()
    named = set()
    for knot in knots:
        assert set(knot.members) <= stuck
        assert set(knot.cycle) <= set(knot.members)
        for edge, following in zip(knot.edges, knot.edges[1:] + knot.edges[:1], strict=True):
            assert edge.needed == following.waiter
        assert not named & {*knot.members, *knot.victims}
        named |= {*knot.members, *knot.victims}
    assert named == stuck


def test_components_of_a_chain_of_50_000_need_no_recursion():
    from asyncconsole.diagnose.graph import Edge

    edges = {n: [Edge(n, (n + 1) % 50_000, "await")] for n in range(50_000)}
    assert [len(group) for group in components(edges)] == [50_000]
