"""Which other tasks refer to the streams at which a task is held up, and so may read them."""

from __future__ import annotations

import gc
import types
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from asyncconsole.capture import futures, heap, waits
from asyncconsole.capture.chain import Chain, walk
from asyncconsole.capture.code import code_facts
from asyncconsole.capture.exits import referents
from asyncconsole.capture.names import own_class
from asyncconsole.capture.objects import Types, module_of

if TYPE_CHECKING:
    from asyncconsole.capture.program import Program

FAR = 7
"""Steps from a local variable after which the search ends."""

MOST = 5_000
"""Objects that are looked at for each task."""

_READS = frozenset(
    {
        *("read", "readline", "readexactly", "readuntil", "communicate", "anext"),
        *("recv", "recv_into", "sock_recv", "sock_recv_into"),
    }
)
_HOLDERS = Types(dict, list, tuple, set, frozenset, deque, types.CellType, types.MethodType)
_STREAMS = ("asyncio.streams", "asyncio.subprocess")
_PLAIN = Types(types.CellType, dict)


class _Readers:
    """See the head of this module."""

    name = "readers"

    def tell(self, program: Program) -> Iterator[Any]:
        """In the frozen copy.

        Yields:
            ``[task, [task...]]`` for each task that is held up.
        """
        chains: dict[int, Chain] = {}
        wanted: dict[int, list[int]] = {}
        tasks = heap.tasks(program.loops)
        while tasks:
            task = tasks.pop()
            number = program.tasks.known(task)
            coroutine, future = futures.coroutine(task), futures.waiter(task)
            if not number or future is None:
                continue
            chain = walk(coroutine)
            chains[number] = chain
            # Unless the library's code is innermost it is no wait for a stream.
            if chain.levels and not code_facts(chain.levels[-1].code).own:
                jammed = waits.understand(chain, future).jammed
                for reader in jammed.readers if jammed is not None else ():
                    wanted.setdefault(id(reader), []).append(number)
        if not wanted:
            return
        found: dict[int, list[int]] = {n: [] for numbers in wanted.values() for n in numbers}
        for number, chain in chains.items():
            for reader in _may_read(chain, wanted.keys()):
                for held_up in wanted[reader]:
                    if held_up != number:
                        found[held_up].append(number)
        for held_up, others in found.items():
            yield [held_up, sorted(set(others))]

    def read(self, values: list[Any]) -> dict[str, Any]:
        """The model's view of it."""
        return {"readers": tuple((number, tuple(others)) for number, others in values)}


SCAN = _Readers()


def _may_read(chain: Chain, wanted: Any) -> set[int]:
    """``id`` of those of the readers that a task may read.

    It has one as a local variable, in its writer or process; or in some other object, and
    then its code must show that it reads at all: a heartbeat has the same ``self``.
    """
    reads = any(_reads(level.code) for level in chain.levels if code_facts(level.code).own)
    local = [thing for level in chain.levels for thing in referents(level.owner)]
    todo = deque((thing, 0, True) for thing in local)
    seen: set[int] = set()
    found: set[int] = set()
    while todo and len(seen) < MOST:
        thing, steps, near = todo.popleft()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if id(thing) in wanted:
            if near or reads:
                found.add(id(thing))
        elif steps < FAR and _followed(thing):
            kind = type(thing)
            inside = near and (kind in _PLAIN or module_of(kind) in _STREAMS)
            further = [(item, steps + 1, inside) for item in gc.get_referents(thing)]
            # What is near comes first, so that it is not met as something far.
            (todo.extendleft if inside else todo.extend)(further)
    return found


def _followed(thing: Any) -> bool:
    kind = type(thing)
    return kind in _HOLDERS or own_class(kind) or module_of(kind) in _STREAMS


def _reads(code: types.CodeType) -> bool:
    """True when a function's code, or a function inside of it, may read from a stream."""
    if not _READS.isdisjoint(code.co_names) or _goes_over(code):
        return True
    return any(type(item) is types.CodeType and _reads(item) for item in code.co_consts)


def _goes_over(code: types.CodeType) -> bool:
    """True when it has an ``async for``."""
    from dis import opmap  # noqa: PLC0415 - in the frozen copy; loaded by then

    wanted = opmap["GET_AITER"]
    return wanted in code.co_code[::2]
