"""From tasks' waits and holds to the primitives behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.claims import Recorded, agree
from asyncconsole.capture.code import short
from asyncconsole.capture.drafts import Draft
from asyncconsole.capture.givers import given_back
from asyncconsole.capture.holders import Held
from asyncconsole.capture.identity import Numbers
from asyncconsole.capture.names import Place, base
from asyncconsole.capture.owned import owned, unknown
from asyncconsole.capture.readers import Facts, reader_for
from asyncconsole.capture.records import Records
from asyncconsole.capture.waits import describe
from asyncconsole.model import Gap, Hold, Holder, Resource, Waiter

SLICE = 200
GUESSED = frozenset({"flow", "inside"})
"""Evidence that is read from code, not from what is in force: likely, never certain."""
_EXACT = {"stack", "tracked", "owner"}
_CONDITION_WAIT = asyncio.Condition.wait.__code__


class Resources:
    """The primitives of one capture.

    With ``named``, known names by number, nobody looks where those were seen.
    """

    def __init__(
        self,
        listed: list[Draft],
        numbers: Numbers,
        records: Records | None = None,
        named: dict[int, str] | None = None,
    ) -> None:
        self._named = named
        self._listed = listed
        self._numbers = numbers
        self._facts: dict[int, Facts] = {}
        self._things: dict[int, Any] = {}
        self._places: dict[int, list[Place]] = {}
        self._titles: dict[int, str] = {}
        self._labels: dict[int, tuple[str, str, str]] = {}
        self._holders: dict[int, list[tuple[Draft, Held]]] = {}
        self._by_future = {id(d.future): d for d in listed if d.future is not None}
        for draft in listed:  # a wait_for's own task waits in the name of who awaits it
            if draft.waiting is not None and draft.waiting.future is not draft.future:
                self._by_future[id(draft.waiting.future)] = draft
        self._notified: dict[int, list[Any]] = {}
        self._by_task = {id(draft.task): draft for draft in listed}
        self._guardians: dict[int, Any] = {}
        self._first: dict[int, Draft] = {}
        self._valid: set[int] = set()
        self._waiting: dict[int, list[int]] | None = None
        for draft in listed:
            self._enlist(draft)
        self._recorded = Recorded(records, listed)
        self._unseen: dict[int, list[Held]] = {}
        for thing in self._recorded.taken():
            self._add(thing)
        self._leave_out()

    def _leave_out(self) -> None:
        """Forget what other primitives are made of."""
        for thing in list(self._things.values()):
            reader = reader_for(thing)
            for part in reader.parts(thing) if reader is not None else ():
                self._things.pop(id(part), None)
                self._holders.pop(id(part), None)

    def _enlist(self, draft: Draft) -> None:
        """What one task waits for and holds."""
        waiting = draft.waiting
        if waiting is not None and waiting.thing is not None:
            seen = id(waiting.thing) in self._things and not draft.grip.held
            if seen and self._named and self._numbers.known(waiting.thing) in self._named:
                return
            self._add(waiting.thing)
            self._first.setdefault(id(waiting.thing), draft)
            self._place(waiting.thing, draft, None)
            reader = reader_for(waiting.thing) if waiting.kind == "condition" else None
            if reader is not None:
                # Inside Condition.wait() its lock is given back, whatever the stack says.
                self._notified.setdefault(id(reader.guards(waiting.thing)), []).append(draft)
        for held in draft.grip.held:
            self._add(held.thing)
            self._place(held.thing, draft, held)
            self._holders.setdefault(id(held.thing), []).append((draft, held))
            if held.through is not held.thing:
                self._add(held.through)
                self._place(held.through, draft, held)

    def _add(self, thing: Any) -> None:
        if id(thing) in self._things:
            return
        self._things[id(thing)] = thing
        guarded = _guarded(thing)
        if guarded is not None:
            self._guardians.setdefault(id(guarded), thing)
            self._add(guarded)

    def _place(self, thing: Any, draft: Draft, held: Held | None) -> None:
        """Remember the frames in which a thing was seen, to name it."""
        places = self._places.setdefault(id(thing), [])
        if len(places) > 3 or not draft.chain.levels:  # noqa: PLR2004 - a few are enough for a name
            return
        if held is not None:
            function = draft.frames[held.level].function
            levels = draft.chain.levels[: held.level + 1]
            places.append(Place(levels, function, held.line, held.span))
            return
        for index in reversed(range(len(draft.chain.levels))):
            frame = draft.frames[index]
            if frame.own:
                levels = draft.chain.levels[: index + 1]
                at = draft.chain.key[2 * index + 1]
                places.append(Place(levels, frame.function, frame.line, at=at))
                return

    def include(self, thing: Any, title: str) -> None:
        """List a primitive that no task waits for or holds, too; ``title`` if nothing names it."""
        self._add(thing)
        self._titles[id(thing)] = title

    def things(self) -> list[Any]:
        """The live primitives."""
        return list(self._things.values())

    def places(self) -> dict[int, list[Place]]:
        """Where each was seen. A Condition's lock is named by its Condition instead."""
        return {key: found for key, found in self._places.items() if key not in self._guardians}

    def collect(self, gaps: list[Gap]) -> Generator[None, None, None]:
        """Read the state of every primitive and drop holds that its state denies."""
        for index, (key, thing) in enumerate(list(self._things.items())):
            if index % SLICE == SLICE - 1:
                yield
            reader = reader_for(thing)
            if reader is None:
                self._facts[key] = Facts(state=futures.state(thing).lower() or "pending")
                continue
            try:
                self._facts[key] = reader.read(thing)
            except Exception as broken:  # a reader that fails is a gap, not an error
                gaps.append(Gap(describe(thing), f"{type(broken).__name__}: {broken}"[:200]))
                self._facts[key] = Facts(state="unreadable")
                if reader.lends:
                    self._holders.pop(key, None)  # nothing says that it is still out
        self._doubt_lenders()
        self._doubt_givers()
        away = self._given_back()
        for index, (key, thing) in enumerate(list(self._things.items())):
            if index % SLICE == SLICE - 1:
                yield
            claims = self._recorded.merge(thing, self._holders.get(key, []))
            if claims:
                self._holders[key] = self._settled(key, claims, away.get(key, set()))
            for draft, held in claims:
                if not any(held is seen for seen in draft.grip.held):
                    self._unseen.setdefault(id(draft.task), []).append(held)
            self._own(thing)
        self._valid = {id(held) for claims in self._holders.values() for _, held in claims}

    def _doubt_lenders(self) -> None:
        """A task that a holder awaits may release what the holder took."""
        lenders = self._awaiters({id(d.task) for d in self._listed if d.grip.releases})
        for draft in self._listed:
            if draft.grip.held and id(draft.task) in lenders:
                for held in draft.grip.held:
                    held.certain = held.certain and held.item is not None

    def _doubt_givers(self) -> None:
        """What another task will give back is held, but no proof rests on that."""
        for key, givers in given_back(self._listed).items():
            for draft, held in self._holders.get(key, ()):
                if givers - {id(draft.task)}:
                    held.provable = False

    def _awaiters(self, tasks: set[int], ends: frozenset[int] = frozenset()) -> set[int]:
        """These tasks and all that await them, however far away, but not through ``ends``."""
        if not tasks:
            return tasks
        waiters = self._waiting
        if waiters is None:
            waiters = self._waiting = {}
            for draft in self._listed:
                for task in draft.waiting.tasks if draft.waiting is not None else ():
                    waiters.setdefault(id(task), []).append(id(draft.task))
        found = set(tasks)
        todo = list(tasks)
        while todo:
            awaited = todo.pop()
            for key in waiters.get(awaited, ()) if awaited not in ends else ():
                if key not in found:
                    found.add(key)
                    todo.append(key)
        return found

    def _settled(
        self, key: int, claims: list[tuple[Draft, Held]], away: set[int]
    ) -> list[tuple[Draft, Held]]:
        """The claims to one primitive that its state and the other claims allow."""
        facts = self._facts.get(key)
        if facts is None or not (facts.locked or facts.taken or facts.permits is None):
            return []  # nobody has it: the exit is in force, but it was given back
        claims = [(draft, held) for draft, held in claims if id(draft.task) not in away]
        claims = _likely(claims, facts)
        agree(claims, facts.permits)
        return claims

    def _own(self, thing: Any) -> None:
        """Let a primitive that keeps its owners itself have the last word."""
        if reader_for(thing) is not None:
            claims = owned(thing, self._claims(thing), self._by_task)
            if claims is not None:
                self._holders[id(thing)] = claims

    def _given_back(self) -> dict[int, set[int]]:
        """By lock: tasks inside ``Condition.wait()`` of it, and those that await them.

        The latter because ``wait_for(condition.wait(), s)`` makes a task of its own
        before 3.12, while the ``async with condition`` is on its parent's stack. A task
        that entered the lock itself gave back its own hold, and none of its awaiters'.
        """
        inside = {key: {id(d.task) for d in drafts} for key, drafts in self._notified.items()}
        for draft in self._listed:
            waiting = draft.waiting
            if waiting is None or waiting.kind != "lock":
                continue
            # Woken in Condition.wait(), it takes the lock again before it returns.
            if any(level.code is _CONDITION_WAIT for level in draft.chain.levels):
                inside.setdefault(id(waiting.thing), set()).add(id(draft.task))
        return {
            key: self._awaiters(
                tasks, frozenset(id(draft.task) for draft, _ in self._holders.get(key, ()))
            )
            for key, tasks in inside.items()
        }

    def holds(self, draft: Draft, now: float) -> Iterator[Hold]:
        """What one task holds, as plain data."""
        for held in [*draft.grip.held, *self._unseen.get(id(draft.task), ())]:
            if id(held) not in self._valid:
                continue
            file, function = _taken(draft, held)
            yield Hold(
                resource=self.id(held.thing),
                frame=held.level,
                file=file,
                line=held.line,
                function=function,
                since=_since(draft, held, now),
                how=held.how,
                certain=held.certain,
                exact=held.since is not None,
            )

    def id(self, thing: Any) -> str:
        """The primitive's id."""
        return f"L{self._numbers.of(thing)}"

    def label(self, thing: Any, names: dict[int, str]) -> tuple[str, str, str]:
        """The primitive's title, type and id; asked for once all that have a name have it."""
        known = self._labels.get(id(thing))
        if known is None:
            known = self.title(thing, names), describe(thing), self.id(thing)
            self._labels[id(thing)] = known
        return known

    def title(self, thing: Any, names: dict[int, str]) -> str:
        """The primitive's name, or a clue where it was seen."""
        text = names.get(self._numbers.of(thing))
        if text:
            return text
        guardian = self._guardians.get(id(thing))
        if guardian is not None:
            return f"lock of {self.title(guardian, names)}"
        for place in self._places.get(id(thing), ()):
            file = base(place.level.code.co_filename)
            return f"unnamed, seen at {file}:{place.line}"
        if id(thing) in self._titles:
            return self._titles[id(thing)]
        draft = self._first.get(id(thing))
        return f"unnamed, {futures.name(draft.task)} waits for it" if draft else "unnamed"

    def forget(self) -> Generator[None, None, None]:
        """Let go of everything, in slices: freeing it in one go would stop the program."""
        self._first.clear()
        self._valid.clear()
        self._guardians.clear()
        memory: dict[int, Any]
        for memory in (self._places, self._facts, self._holders, self._by_future, self._things):
            while memory:
                for _ in range(min(SLICE, len(memory))):
                    memory.popitem()
                yield

    def resources(self, names: dict[int, str], now: float) -> Iterator[Resource]:
        """Every primitive as plain data, by id."""
        for key, thing in sorted(self._things.items(), key=lambda pair: self._numbers.of(pair[1])):
            facts = self._facts[key]
            claims = self._claims(thing)
            holders = tuple(self._holder(draft, held, now) for draft, held in claims)
            certain = [
                held for _, held in claims if held.certain and held.provable and held.how in _EXACT
            ]
            yield Resource(
                id=self.id(thing),
                type=describe(thing),
                name=self.title(thing, names),
                state=facts.state,
                locked=facts.locked,
                holders=holders,
                waiters=tuple(self._waiters(facts, thing, now)),
                permits=facts.permits,
                sound=facts.sound,
                accounted=bool(facts.taken)
                and facts.permits == facts.taken == len(certain) == len(claims),
                unknown=unknown(thing, facts, claims),
                details=facts.details,
            )

    def _claims(self, thing: Any) -> list[tuple[Draft, Held]]:
        reader = reader_for(thing)
        guarded = reader.guards(thing) if reader is not None else thing
        return self._holders.get(id(guarded), [])

    def _holder(self, draft: Draft, held: Held, now: float) -> Holder:
        file, function = _taken(draft, held)
        return Holder(
            task=draft.number,
            name=futures.name(draft.task),
            file=file,
            line=held.line,
            function=short(function),
            since=_since(draft, held, now),
            how=held.how,
            certain=held.certain,
            exact=held.since is not None,
        )

    def _waiters(self, facts: Facts, thing: Any, now: float) -> Iterator[Waiter]:
        queue = facts.queue or (((thing, ""),) if reader_for(thing) is None else ())
        position = 0
        for future, role in queue:
            if futures.done(future):
                continue  # woken, on its way out of the queue
            position += 1
            draft = self._by_future.get(id(future))
            if draft is None:
                yield Waiter(None, "unknown task", position, 0.0, role)
            else:
                yield Waiter(
                    draft.number, futures.name(draft.task), position, now - draft.since, role
                )


def _likely(claims: list[tuple[Draft, Held]], facts: Facts) -> list[tuple[Draft, Held]]:
    """The claims without those of code (``flow``, ``inside``) that the rest speaks against."""
    shown = [(draft, held) for draft, held in claims if held.how not in GUESSED]
    known = {id(draft.task) for draft, _ in shown}
    guessed: dict[int, tuple[Draft, Held]] = {}
    for draft, held in claims:
        if held.how in GUESSED and id(draft.task) not in known:
            guessed.setdefault(id(draft.task), (draft, held))
    if not (facts.locked or facts.taken):
        return shown
    if facts.permits is not None and len(guessed) > facts.permits - len(known):
        return shown  # some of them must be wrong, and nobody can tell which
    return shown + list(guessed.values())


def _since(draft: Draft, held: Held, now: float) -> float | None:
    """Seconds something has been held: recorded, or at least as long as its holder waits."""
    if held.since is not None:
        return max(0.0, now - held.since)
    return now - draft.since if draft.waiting is not None else None


def _taken(draft: Draft, held: Held) -> tuple[str, str]:
    """File and function in which it was taken; "" where no frame shows it."""
    if held.site is None and held.level < 0:
        return "", ""
    frame = held.site or draft.frames[held.level]
    return frame.file, frame.function


def _guarded(thing: Any) -> Any:
    """The other primitive that is held when ``thing`` is; None for most."""
    reader = reader_for(thing)
    guarded = reader.guards(thing) if reader is not None else thing
    return guarded if guarded is not thing else None
