"""Context managers that record the truth, and the driver that compares it with what is read.

Used by the programs next to this file, which run on every interpreter, so: no third party,
and the syntax of Python 3.10.
"""

from __future__ import annotations

import types

from asyncconsole.capture.exits import exits_in_force


@types.coroutine
def pause():
    """Suspend once."""
    yield


class House:
    """One run: who is inside of what, by frame, and what was read at each suspension."""

    def __init__(self):
        self.frames = []
        self.held = []
        self.made = {}
        self.seen = {"exact": 0, "unknown": 0, "missing": 0}
        self.false = []
        self.notes = []

    def watch(self, owner, held):
        """Compare this frame's exits with that list from now on."""
        self.frames.append((owner, held))
        return owner

    def m(self, name, held=None, enter=1, leave=1, error=None):
        """An async manager that suspends on its way in and out."""
        return self._keep(name, Inside(self, name, held, enter, leave, error))

    def s(self, name, held=None):
        """A sync manager."""
        return self._keep(name, SyncInside(self, name, held, 0, 0, None))

    def _keep(self, name, manager):
        self.made[name] = manager
        return manager

    def compare(self, step):
        """Look at every watched frame that is suspended now."""
        for owner, held in self.frames:
            if ended(owner):
                continue
            exits = exits_in_force(owner)
            if runs(owner):
                if exits is not None:
                    self.false.append([step, "a running frame was read"])
                continue
            if exits is None:
                self.seen["unknown"] += 1
                self.notes.append([step, "unknown", list(map(str, held))])
                continue
            got = [item.manager for item in exits]
            if len(got) == len(held) and all(a is b for a, b in zip(got, held, strict=True)):
                self.seen["exact"] += 1
            elif in_order(got, held):
                self.seen["missing"] += 1
                self.notes.append([step, "missing", list(map(str, got)), list(map(str, held))])
            else:
                self.false.append([step, list(map(str, got)), list(map(str, held))])


def in_order(got, held):
    """Whether all of ``got`` is in ``held``, in the same order."""
    rest = iter(held)
    return all(any(item is other for other in rest) for item in got)


def ended(owner):
    """Whether the frame is gone."""
    for name in ("cr_frame", "gi_frame", "ag_frame"):
        if hasattr(owner, name):
            return getattr(owner, name) is None
    raise TypeError(owner)


def runs(owner):
    """Whether the frame executes now; an async generator never does when this is asked."""
    return getattr(owner, "cr_running", False) or getattr(owner, "gi_running", False)


class Inside:
    """Records the moments from which and until which it is entered."""

    def __init__(self, house, name, held, enter, leave, error):
        self.house = house
        self.name = name
        self.held = house.held if held is None else held
        self.enter = enter
        self.leave = leave
        self.error = error

    def __str__(self):
        return self.name

    def _inside(self):
        self.held.append(self)

    def _outside(self):
        assert self.held[-1] is self, (self.name, list(map(str, self.held)))
        self.held.pop()

    async def __aenter__(self):
        for _ in range(self.enter):
            await pause()
        if self.error == "enter":
            raise KeyError(self.name)
        self._inside()
        return self

    async def __aexit__(self, kind, value, traceback):
        self._outside()
        for _ in range(self.leave):
            await pause()
        if self.error == "leave":
            raise KeyError(self.name)
        return self.error == "swallow"


class SyncInside(Inside):
    """Same for ``with``."""

    __aenter__ = None
    __aexit__ = None

    def __enter__(self):
        self._inside()
        return self

    def __exit__(self, kind, value, traceback):
        self._outside()
        return self.error == "swallow"


def drive(house, coroutine, limit=10_000):
    """Run a coroutine to its end, comparing at every suspension."""
    step = 0
    house.compare("start")
    while True:
        try:
            coroutine.send(None)
        except StopIteration:
            return step
        step += 1
        house.compare(step)
        if step > limit:
            raise AssertionError("endless")
