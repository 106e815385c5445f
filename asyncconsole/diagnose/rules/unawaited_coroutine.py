"""A coroutine that would end a wait was made and never started."""

from __future__ import annotations

from collections.abc import Iterable

from asyncconsole.diagnose.island import IslandRule, View
from asyncconsole.diagnose.partners import ENDS
from asyncconsole.diagnose.phrases import base, fate, listed, place, spot
from asyncconsole.model.ended import Ended
from asyncconsole.model.leftovers import Unstarted

_MOST = 3


class _UnawaitedCoroutine(IslandRule):
    kind = "unawaited_coroutine"
    rank = 52  # before the kinds that only say what is waited for
    waits = frozenset(ENDS)
    ends = "end that wait"
    fix = (
        "calling a coroutine function starts nothing: `await` what it gives, or make a task of it "
        "with `create_task()`; asyncio's debug mode tells where a forgotten one was made"
    )

    def claims(self, view: View) -> bool:
        return bool(_forgotten(view))

    def doubts(self, view: View) -> tuple[str, ...]:
        return self.waiting_doubts(view)

    def waiting_doubts(self, view: View) -> tuple[str, ...]:
        """Beside those of the island: who has the coroutine may yet await it."""
        kept = [item for item in _forgotten(view) if not item.dropped]
        if kept and view.island.doubts:
            return (*view.island.doubts, "whoever refers to the coroutine may still await it")
        return view.island.doubts

    def causes(self, view: View) -> list[Ended]:
        return [ended for ended in view.causes if _dropped_by(view, ended)]

    def summary(self, view: View) -> str:
        verb = "waits" if len(view.members) == 1 else "wait"
        names = listed([f"`{item.function}()`" for item in _forgotten(view)])
        never = "would end that, but was never awaited"
        return f"{view.names} {verb} for {view.thing}; {names} {never}"

    def evidence(self, view: View) -> Iterable[str]:
        yield from self.waiting(view)
        for item in _forgotten(view)[:_MOST]:
            yield _story(item)
        for ended in self.causes(view)[:_MOST]:
            yield f"{ended.name} ({ended.id}), whose code has that line, {fate(ended)}"
        yield from view.places(self.ends)


def _forgotten(view: View) -> list[Unstarted]:
    """Coroutines whose code would end the wait, and that nobody who moves has at hand."""
    autopsy = view.case.snapshot.autopsy
    graph = view.case.graph
    partners = graph.partners
    stuck = graph.stuck(lenient=True) | graph.stuck()
    found: dict[tuple[str, str, int], Unstarted] = {}
    for item in autopsy.unstarted if autopsy is not None else ():
        uses = partners.uses(partners.named(item.function), view.ends)
        fits = any(use.owner in view.words or view.ends == ENDS["future"] for use in uses)
        if fits and stuck.issuperset(item.hands):
            found.setdefault((item.function, item.file, item.line), item)
    return list(found.values())


def _dropped_by(view: View, ended: Ended) -> bool:
    """True when an ended task's code has the line that dropped one of these coroutines."""
    routines = view.case.graph.partners.of_ended(ended)
    for item in _forgotten(view):
        before = [r for r in routines if r.file == item.file and r.line <= item.line]
        inside = max(before, key=lambda routine: routine.line, default=None)
        if item.dropped and inside is not None and item.function not in inside.function:
            return True
    return False


def _story(item: Unstarted) -> str:
    """How a coroutine came to be forgotten."""
    if item.dropped:
        at = f"{base(item.file)}:{item.line}"
        return f"coroutine `{item.function}()` was dropped unawaited (Python warned) at {at}"
    made = f", made at {spot(item.created[0])}" if item.created else ""
    kept = f", kept in {item.kept}" if item.kept else ""
    at = place(item.file, item.line, item.function)
    state = "exists and has not started"
    return f"a coroutine `{item.function}()` (defined at {at}) {state}{made}{kept}"


RULE = _UnawaitedCoroutine()
