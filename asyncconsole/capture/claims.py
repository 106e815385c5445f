"""What was recorded about owners, added to what the stacks tell.

Without records nothing here does anything. Where records and stacks agree, the record adds
the exact moment; where they contradict each other neither is certain.
"""

from __future__ import annotations

from types import CodeType
from typing import Any

from asyncconsole.capture.code import code_facts
from asyncconsole.capture.drafts import Draft
from asyncconsole.capture.holders import Held
from asyncconsole.capture.records import Owner, Records, frame_at, line_at
from asyncconsole.model import Frame

Claims = list[tuple[Draft, Held]]


class Recorded:
    """The records as one capture sees them.

    Args:
        records: What tracking knows; None without it.
        listed: The drafts of the capture.
    """

    def __init__(self, records: Records | None, listed: list[Draft]) -> None:
        self._records = records
        self._drafts = {id(draft.task): draft for draft in listed} if records else {}
        self._givers: set[int] | None = None

    def taken(self) -> list[Any]:
        """Primitives that are held by record, whether a stack tells or not."""
        return self._records.taken() if self._records is not None else []

    def merge(self, thing: Any, claims: Claims) -> Claims:
        """The claims to a primitive, with its records."""
        if self._records is None:
            return claims
        merged = list(claims)
        for owner in self._records.owners(thing):
            if owner.task is None:
                if len(claims) == 1:
                    claims[0][1].since = owner.since
                continue
            draft = self._drafts.get(id(owner.task))
            if draft is None:
                continue
            mine = [held for other, held in claims if other is draft]
            if mine:
                held = mine[0]
                # A stack in doubt proves nothing about who gives it back, and code even less.
                held.provable = held.certain or (
                    held.how == "flow" and self._given_back_by(self._code(draft, held, owner))
                )
                held.how, held.since, held.certain = "tracked", owner.since, True
            else:
                merged.append((draft, self._held(thing, draft, owner)))
        return merged

    def _held(self, thing: Any, draft: Draft, owner: Owner) -> Held:
        """A claim that rests on a record alone."""
        site = owner.site
        if site is None:
            held = Held(thing, thing, -1, 0, None, "tracked", certain=True, provable=False)
            held.site = Frame("", 0, "")
            return held
        line = line_at(site)
        held = Held(thing, thing, -1, line, None, "tracked", certain=True, since=owner.since)
        for index, level in enumerate(draft.chain.levels[: len(draft.frames)]):
            if level.code is site.code:
                held.level = index
        if held.level < 0:
            held.site = frame_at(site)
        held.provable = held.level >= 0 and self._given_back_by(site.code)
        return held

    def _code(self, draft: Draft, held: Held, owner: Owner) -> CodeType:
        """The function that took it, as recorded or else as found on the stack."""
        return owner.site.code if owner.site is not None else draft.chain.levels[held.level].code

    def _given_back_by(self, code: CodeType) -> bool:
        """Whether the function at work that took it surely gives it back.

        It does if it releases, and no other function alive only releases.
        """
        return "release" in code.co_names and not self._others_give_back(id(code))

    def _others_give_back(self, code: int) -> bool:
        """True when some task runs own code that releases and never acquires.

        A lock that one task takes and another gives back is a signal, and its owner no
        holder.
        """
        if self._givers is None:
            self._givers = {
                id(level.code)
                for draft in self._drafts.values()
                for level in draft.chain.levels
                if "release" in level.code.co_names
                and "acquire" not in level.code.co_names
                and code_facts(level.code).own
            }
        return bool(self._givers - {code})


def agree(claims: Claims, permits: int | None) -> None:
    """Where a record and a stack name more tasks than there are permits, doubt both."""
    if permits is not None and len({id(draft.task) for draft, _ in claims}) > permits:
        for _, held in claims:
            held.certain = False
