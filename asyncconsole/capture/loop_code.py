"""Whether a suspended task is inside a loop that has no end, as far as its code tells."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from types import CodeType

from asyncconsole.capture.chain import Chain
from asyncconsole.capture.code import code_facts
from asyncconsole.capture.exits import suspended_at

CACHED = 4096
"""Code objects whose ways are remembered."""

_ENDS = frozenset({"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE"})
_ALWAYS = frozenset(
    {"JUMP_FORWARD", "JUMP_ABSOLUTE", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"}
)
"""Instructions that never go on to the next one."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Where a code can go without an exception.

    Attributes:
        after: By offset of an instruction: those that can follow it.
        raises: The code has a ``raise`` or an ``assert``.
        loops: By offset of a suspension: whether it can come to it again.
    """

    after: dict[int, tuple[int, ...]]
    raises: bool
    loops: dict[int, bool] = field(default_factory=dict)


_known: dict[int, tuple[weakref.ref[CodeType], Ways]] = {}


def endless(chain: Chain) -> bool:
    """True when some level is in an endless loop and none of them raises.

    Only the program's own code counts. A heartbeat is such a task, and a worker that
    takes from a queue for ever.
    """
    inside = False
    for level in chain.levels:
        if not code_facts(level.code).own:
            continue
        ways = _ways(level.code)
        if ways.raises:
            return False
        at = suspended_at(level.owner)
        inside = inside or (at is not None and _again(ways, at))
    return inside


def _again(ways: Ways, at: int) -> bool:
    """Whether the code that is suspended there can be suspended there once more."""
    if at not in ways.loops:
        seen: set[int] = set()
        todo = list(ways.after.get(at, ()))
        while todo:
            offset = todo.pop()
            if offset not in seen:
                seen.add(offset)
                todo += ways.after.get(offset, ())
        ways.loops[at] = at in seen
    return ways.loops[at]


def _ways(code: CodeType) -> Ways:
    """The ways of a code object, from memory when they are known."""
    known = _known.get(id(code))
    if known is not None and known[0]() is code:
        return known[1]
    found = _read(code)
    if len(_known) >= CACHED:
        _known.pop(next(iter(_known)), None)
    _known[id(code)] = (weakref.ref(code), found)
    return found


def _read(code: CodeType) -> Ways:
    import dis  # noqa: PLC0415 - only for programs that use TaskGroups

    steps = list(dis.get_instructions(code))
    jumps = {
        step.offset: step.argval
        for step in steps
        if step.opcode in dis.hasjrel or step.opcode in dis.hasjabs
    }
    # A `for` ends by itself: at its next turn it is taken to be over. And what is awaited is
    # sent to in a loop of the interpreter's, which is none of the program's.
    over = {
        step.offset: jumps[step.offset] for step in steps if step.opname in {"FOR_ITER", "SEND"}
    }
    after: dict[int, tuple[int, ...]] = {}
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        found = []
        if step.opname not in _ENDS | _ALWAYS and following is not None:
            found.append(following.offset)
        if step.offset in jumps:
            target = jumps[step.offset]
            found.append(over.get(target, target) if target < step.offset else target)
        after[step.offset] = tuple(found)
    return Ways(after, any(step.opname == "RAISE_VARARGS" for step in steps))
