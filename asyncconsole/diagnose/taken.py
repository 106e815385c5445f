"""The shape of the rules about permits that somebody took and nobody is left to give back."""

from __future__ import annotations

from collections.abc import Iterable

from asyncconsole.diagnose.island import MOST_CAUSES, IslandRule, View
from asyncconsole.diagnose.phrases import fate, listed, place
from asyncconsole.model.ended import Ended

_LIKELY = {"raised": 0, "cancelled": 1, "destroyed": 2, "gone": 3, "returned": 4}
"""Who failed is the most likely not to have come to its ``release()``."""

_ACQUIRES = frozenset({"acquire"})
_TAKES = frozenset({"acquire", "release", "__aenter__"})


class TakenRule(IslandRule):
    """Something is taken, no task has it, and nothing that still runs can give it back."""

    ends = "give it back"
    what = "it"
    fix = (
        "take it with `async with`, so that it is given back when its task fails or is cancelled; "
        "where that is not possible, follow `acquire()` at once by `try:` and release in `finally`"
    )

    def claims(self, view: View) -> bool:
        """True when it is taken and no task has it."""
        item = view.item
        return item is not None and item.locked and not item.holders

    def summary(self, view: View) -> str:
        """One sentence."""
        verb = "waits" if len(view.members) == 1 else "wait"
        text = f"{view.names} {verb} for {view.thing}, which was taken and is with no task now"
        takers = self.takers(view)
        if takers:
            text += f": {takers[0].name}, whose code takes it, {fate(takers[0])}"
        return text

    def evidence(self, view: View) -> Iterable[str]:
        """Facts."""
        yield from self.waiting(view)
        if view.item is not None:
            none = f"no frame of a task shows that it has {self.what}"
            yield f"{view.thing} is {view.item.state}; {none}"
        takers = self.takers(view)
        for ended in takers[:MOST_CAUSES]:
            uses = view.case.graph.partners.uses(
                view.case.graph.partners.of_ended(ended), _ACQUIRES
            )
            use = next((use for use in uses if use.owner in view.words), None)
            at = f" ({place(use.file, use.line, use.function)})" if use is not None else ""
            yield f"{ended.name} ({ended.id}), whose code takes it{at}, {fate(ended)}"
        if not takers:
            everywhere = view.case.graph.partners.everywhere(_ACQUIRES, frozenset(view.words))
            spots = [place(use.file, use.line, use.function) for use in everywhere[:MOST_CAUSES]]
            if spots:
                yield f"taken by `acquire()` at {listed(spots)}; nobody saw which task did"
        yield from view.places(self.ends)

    def causes(self, view: View) -> list[Ended]:
        """Those that probably took it."""
        return self.takers(view)

    def takers(self, view: View) -> list[Ended]:
        """Ended tasks whose code takes something of that name, the likeliest first.

        Where none calls anything: one that ran what a waiter runs, and is not known to have ended
        well, may have been cancelled on its way into the `async with` at which the waiter stands.
        """
        partners = view.case.graph.partners
        ended = view.case.snapshot.ended
        found = [
            one
            for one in reversed(ended)
            if any(use.owner in view.words for use in partners.uses(partners.of_ended(one), _TAKES))
        ]
        if not found and not view.named_uses:
            same = {frame.function for task in view.members for frame in task.frames if frame.own}
            found = [
                one for one in reversed(ended) if one.coro in same and one.outcome != "returned"
            ]
        return sorted(found, key=lambda ended: _LIKELY[ended.outcome])
