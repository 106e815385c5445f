"""An interrupt hits the statement or nothing: shooting at a thread that runs others' code too."""

from __future__ import annotations

import threading
import time

import pytest

from asyncconsole.repl.window import Interrupted, Window
from tests.children import run
from tests.interpreters import INTERPRETERS


@pytest.mark.parametrize("python", INTERPRETERS)
def test_no_shot_goes_astray(python) -> None:
    child = run(python, "-m", "tests.repl.duel")
    points, hits, strays, pauses, paused_hits, paused_strays = map(int, child.stdout.split())
    assert (strays, paused_strays) == (0, 0)
    # Else the exploration has shown nothing:
    assert 0 < hits < points > 30
    assert 0 < paused_hits < pauses > 30


def test_values_and_exceptions_pass() -> None:
    window = Window()
    assert window.run(divmod, 7, 3) == (2, 1)
    with pytest.raises(ZeroDivisionError):
        window.run(divmod, 7, 0)
    assert window.thread is None
    assert window.shoot() is False


def test_second_shot_waits_for_the_first() -> None:
    window = Window()
    entered, released = threading.Event(), threading.Event()
    seen: list[BaseException] = []

    def statement() -> None:
        entered.set()
        released.wait(10)

    def thread() -> None:
        try:
            window.run(statement)
        except BaseException as error:
            seen.append(error)

    runner = threading.Thread(target=thread)
    runner.start()
    assert entered.wait(10)
    end = time.monotonic() + 10
    while not window.shoot() and time.monotonic() < end:
        time.sleep(0.001)
    assert window.shoot()
    assert window.pending  # in a C call: not raised yet
    released.set()
    runner.join(10)
    assert isinstance(seen[0], Interrupted)
    assert not window.pending
