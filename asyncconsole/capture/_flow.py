"""Follows explicit acquire and release through a code object (3.11 and later)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncconsole.capture._claims import Flow, Ledger, Spelling
from asyncconsole.capture._dataflow import Analysis, Dialect, Instruction, apply

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType

    from asyncconsole.capture._stack import Slot, Walk


class FlowAnalysis(Analysis):
    """The walk that finds exits, with a ledger of what is acquired and given back."""

    def __init__(self, code: CodeType, dialect: Dialect, spelling: Spelling) -> None:
        super().__init__(code, dialect)
        cells = tuple(name for name in code.co_cellvars if name not in code.co_varnames)
        self.ledger = Ledger(code, spelling, code.co_varnames + cells + code.co_freevars)

    def walk(self, stack: Iterable[Slot], sure: int, maybe: int) -> Walk:
        """A walk that the ledger follows."""
        return self.ledger.walk(stack, sure, maybe)

    def execute(self, item: Instruction, walk: Walk) -> bool:
        """Run one instruction and note what it means."""
        before = list(walk.stack)
        goes_on = super().execute(item, walk)
        if goes_on:
            self.ledger.after(item.name, item.arg, item.offset, before, walk)
        return goes_on

    def jump(self, item: Instruction, walk: Walk) -> bool:
        """On 3.11, an await ends by the jump of its SEND; later versions have END_SEND."""
        taken = self.dialect.jumps.get(item.name)
        if item.name != "SEND" or taken == (0, 0) or walk.stack[-2].what != "awaited":
            return super().jump(item, walk)
        ended = self.walk(walk.stack, walk.sure, walk.maybe)
        apply(ended, taken, item.arg)
        self.ledger.received(walk.stack[-2], ended)
        self.join(self.target(item), tuple(ended.stack), ended.sure, ended.maybe)
        return True

    def flow(self) -> Flow:
        """The claims at every suspension."""
        self.run()
        # f_lasti is that of the yield up to 3.12, then that of the RESUME behind it.
        found = (((at, at + 2), sure, maybe) for at, (_, sure, maybe) in self.yields.items())
        return self.ledger.flow(found)
