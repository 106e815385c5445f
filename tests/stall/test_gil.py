"""Who had the GIL, told from clocks."""

from __future__ import annotations

import threading
import weakref

import pytest

from asyncconsole.capture.loops import LoopFact
from asyncconsole.stall import gil
from asyncconsole.stall.clocks import Gap, Vitals


class Foreign:
    """A loop that tells nothing of itself."""


@pytest.mark.parametrize(("thread", "blamed"), [(1, True), (None, False)])
def test_a_busy_thread_may_be_that_of_a_loop_whose_thread_is_not_known(thread, blamed):
    loop, busy = Foreign(), threading.get_ident()
    fact = LoopFact(1, weakref.ref(loop), "foreign.Loop", thread, running=True)
    before = Vitals(100.0, 10.0, 1.0, 500, {busy: 5.0})
    now = Vitals(101.0, 11.0, 1.0, 700, {busy: 6.0})
    found = gil.holder([fact], None, before, now, Gap("held", 1.0, 1.0))
    assert bool(found.starved) == blamed
    assert not found.loops
