"""What only a frozen copy of the whole program can tell: scans of its heap.

Each scan is a module of this folder that binds ``SCAN``; it is named in `SCANS`. All of them
run in one forked child (see `asyncconsole.capture.frozen`), so what they say is of one moment.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from asyncconsole.capture.autopsy import ahead, leftovers, readers, routines, wakes
from asyncconsole.model import Gap
from asyncconsole.model.autopsy import Autopsy

if TYPE_CHECKING:
    from asyncconsole.capture.program import Program


class Scan(Protocol):
    """Finds out one thing in a frozen copy."""

    name: str

    def tell(self, program: Program) -> Iterator[Any]:
        """In the copy: values for JSON. Takes no lock, calls nothing of the program's."""

    def read(self, values: list[Any]) -> dict[str, Any]:
        """In the program: what these values mean, as fields of an `Autopsy`."""


SCANS: tuple[Scan, ...] = (wakes.SCAN, readers.SCAN, routines.SCAN, ahead.SCAN, leftovers.SCAN)
"""In the order in which they run. What refers to much of the heap comes last."""


def tell(program: Program, scans: Sequence[Scan] = SCANS) -> Iterator[bytes]:
    """All scans, as lines of JSON; one that fails is a gap."""
    for scan in scans:
        began = time.monotonic()
        try:
            for value in scan.tell(program):
                yield (json.dumps([scan.name, value]) + "\n").encode()
        except Exception as broken:
            why = f"{type(broken).__name__}: {broken}"[:200]
            yield (json.dumps(["", [scan.name, why]]) + "\n").encode()
        yield (json.dumps(["took", [scan.name, time.monotonic() - began]]) + "\n").encode()


def read(data: bytes, scans: Sequence[Scan] = SCANS) -> Autopsy:
    """What the copy told."""
    values: dict[str, list[Any]] = {}
    for text in data.splitlines():
        name, value = json.loads(text)
        values.setdefault(name, []).append(value)
    gaps = [Gap(name, why) for name, why in values.get("", ())]
    failed = {gap.what for gap in gaps}
    fields: dict[str, Any] = {}
    for scan in scans:
        if scan.name not in failed:
            fields.update(scan.read(values.get(scan.name, [])))
    return Autopsy(**fields, gaps=(*fields.pop("gaps", ()), *gaps))
