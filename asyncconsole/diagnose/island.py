"""The shape that all rules about islands share: nobody is left who could end a wait."""

from __future__ import annotations

from collections.abc import Iterable

from asyncconsole.diagnose.groups import Island
from asyncconsole.diagnose.partners import ENDS, Use
from asyncconsole.diagnose.phrases import fate, lasting, listed, place, what, where, who
from asyncconsole.diagnose.rule import Case
from asyncconsole.model import Finding, Resource, ResourceRef, Task, TaskRole
from asyncconsole.model.ended import Ended

MOST_CAUSES = 3
"""Ended tasks that are named."""

MOST_NAMED = 10
"""Waiting tasks of which each has a line of evidence."""

PROVEN = (
    "nobody cancels these tasks, and whoever could end their waits is visible as a reference "
    "to what they wait for"
)


class IslandRule:
    """A rule about waits that nobody is left to end; subclasses say which.

    Attributes:
        kind: As in the contract.
        waits: Kinds of waits that it is about.
        ends: What somebody should have done, in words: ``set it``.
        fix: What to change in the program.
    """

    kind = ""
    rank = 60
    waits: frozenset[str] = frozenset()
    ends = ""
    fix = ""

    def check(self, case: Case) -> Iterable[Finding]:
        """A finding for each island of this kind that was meant to be left."""
        found = []
        for island in case.islands:
            view = View(case, island)
            if view.kind in self.waits and self.claims(view):
                found.append(self._finding(view))
        return found

    def claims(self, view: View) -> bool:
        """True when these tasks were not meant to wait for ever."""
        return view.meant

    def stuck(self, view: View) -> list[Task]:
        """Those to blame; who else waits is a victim."""
        return view.members

    def doubts(self, view: View) -> tuple[str, ...]:
        """Why it is no proof; () where it is one."""
        return view.island.doubts

    def summary(self, view: View) -> str:
        """One sentence."""
        verb = "waits" if len(view.members) == 1 else "wait"
        left = "nobody seems left to" if self.doubts(view) else "nothing that still runs can"
        return f"{view.names} {verb} for {view.thing}, and {left} {self.ends}{view.because}"

    def waiting(self, view: View) -> Iterable[str]:
        """Who waits, and since when."""
        for task in view.members[:MOST_NAMED]:
            wait = task.wait
            since = f", {lasting(wait.since, exact=wait.exact)}" if wait is not None else ""
            yield f"{who(task)} waits for {view.thing} at {where(task)}{since}"

    def causes(self, view: View) -> list[Ended]:
        """Ended tasks that are named as the cause."""
        return view.causes

    def evidence(self, view: View) -> Iterable[str]:
        """Facts."""
        yield from self.waiting(view)
        for ended in self.causes(view)[:MOST_CAUSES]:
            use = view.use_of(ended)
            at = f" ({place(use.file, use.line, use.function)})" if use is not None else ""
            yield f"{ended.name} ({ended.id}), whose code would {self.ends}{at}, {fate(ended)}"
        yield from view.places(self.ends)

    def _finding(self, view: View) -> Finding:
        doubts = self.doubts(view)
        proven = not doubts
        stuck = self.stuck(view)
        roles = [TaskRole(task.id, task.name, "stuck") for task in stuck]
        roles += [TaskRole(e.id, e.name, "cause") for e in self.causes(view)[:MOST_CAUSES]]
        tasks, named = view.case.graph.tasks, {task.id for task in stuck}
        behind = dict.fromkeys((*view.island.members, *view.island.victims))
        roles += [TaskRole(n, tasks[n].name, "victim") for n in behind if n not in named]
        item = view.item
        return Finding(
            id="",
            verdict="deadlock" if proven else "suspect",
            proven=proven,
            kind=self.kind,
            summary=self.summary(view),
            tasks=tuple(roles),
            resources=(ResourceRef(item.id, item.type, item.name),) if item is not None else (),
            evidence=tuple(self.evidence(view)),
            fix=self.fix,
            now=self._now(view),
            assumes=PROVEN if proven else "not proven: " + "; ".join(doubts),
        )

    def _now(self, view: View) -> str:
        """A way out: cancel who waits."""
        numbers = " ".join(str(task.id) for task in view.members[:MOST_NAMED])
        return f"cancel {numbers}   ends the wait with CancelledError"


class View:
    """One island with what is known around it.

    Attributes:
        case: The case.
        island: The island.
        members: Its tasks.
        item: What they wait for, when it is a primitive.
        kind: Kind of their waits.
        words: What the program calls the thing.
        causes: Ended tasks whose code would have ended the wait, latest first.
        named_uses: Every line of the program that would end a wait for something of that name.
        uses: The same; for futures that are resolved under no such name, all that resolve some.
    """

    def __init__(self, case: Case, island: Island) -> None:
        self.case = case
        self.island = island
        self.members: list[Task] = [case.graph.tasks[number] for number in island.members]
        self.item: Resource | None = case.graph.resources.get(island.resource or "")
        wait = self.members[0].wait
        self.kind = wait.kind if wait is not None else ""
        partners = case.graph.partners
        self.words = partners.names(self.members)
        self.ends = ENDS.get(self.kind, ENDS["future"])
        self.causes: list[Ended] = partners.ended(self.kind, self.words)
        self.named_uses: list[Use] = partners.everywhere(self.ends, self.words)
        # A future goes by other names where it is resolved.
        self.uses = self.named_uses or (
            partners.everywhere(self.ends) if self.ends == ENDS["future"] else []
        )

    @property
    def names(self) -> str:
        """The members' names."""
        return listed([task.name for task in self.members])

    @property
    def thing(self) -> str:
        """What they wait for, in words."""
        if self.item is not None:
            return what(self.item)
        wait = self.members[0].wait
        return wait.name if wait is not None and wait.name else "a future"

    @property
    def meant(self) -> bool:
        """True when some code of the program would end such a wait.

        ``await asyncio.Event().wait()`` is how people let a task rest until it is cancelled.
        """
        return bool(self.uses or self.causes)

    @property
    def because(self) -> str:
        """The cause that has ended, in words."""
        if not self.causes:
            return ""
        return f": {self.causes[0].name} {fate(self.causes[0])}"

    def use_of(self, ended: Ended) -> Use | None:
        """Where an ended task would have ended the wait."""
        partners = self.case.graph.partners
        uses = partners.uses(partners.of_ended(ended), self.ends)
        return next((use for use in uses if use.owner in self.words), next(iter(uses), None))

    def could(self, task: Task, *, named: bool) -> bool:
        """True when a task's code would end such a wait; ``named``: of a thing of this name."""
        partners = self.case.graph.partners
        uses = partners.uses(partners.routines(task), self.ends)
        return any(use.owner in self.words or not named for use in uses)

    def places(self, verb: str) -> Iterable[str]:
        """Where the program would end the wait, and why that won't happen."""
        if not self.uses:
            return
        spots = listed([place(use.file, use.line, use.function) for use in self.uses])
        partners = self.case.graph.partners
        own = {
            use
            for task in self.members
            for use in partners.uses(partners.on_stack(task), self.ends)
        }
        only = "the only code" if len(self.uses) == 1 else "all code"
        if own.issuperset(self.uses):
            yield f"{only} that would {verb} ({spots}) comes after this wait in the same task"
        else:
            yield f"{only} that would {verb}: {spots}"
