"""What every test shares: the interpreters in pytest's report, and documents checked by schema."""

from __future__ import annotations

import os
import signal
from itertools import compress
from operator import not_
from typing import TYPE_CHECKING, Any

import pytest

from tests import interpreters, parallel, share
from tests.documents import validate

if TYPE_CHECKING:
    from collections.abc import Callable


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C reach what tests start; on a worker of several, take turns."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in a background job
        signal.signal(signal.SIGINT, signal.default_int_handler)
    worker = getattr(config, "workerinput", None)
    if worker is None and not share.whole(config):
        os.environ[share.EVERY] = "1"  # for the workers, too
    if worker is not None:
        config.pluginmanager.register(parallel.Turns(worker["testrunuid"]))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> parallel.Scheduling:
    """Say who runs what."""
    config.option.loadscopereorder = False
    return parallel.Scheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A share of the matrix, the longest first."""
    chosen = share.chosen(items)
    config.hook.pytest_deselected(items=list(compress(items, map(not_, chosen))))
    items[:] = compress(items, chosen)
    parallel.order(items)


def pytest_report_header() -> list[str]:
    """Say first which interpreters programs will run on."""
    lines = ["programs run on CPython " + " ".join(interpreters.present())]
    return lines + [f"ABSENT: CPython {line}" for line in _absences()]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say last which versions nothing was tested on."""
    if lines := _absences():
        terminalreporter.section("NOT TESTED ON EVERY VERSION", yellow=True)
        for line in lines:
            terminalreporter.line(f"absent: CPython {line}")


def _absences() -> list[str]:
    return [f"{version}: {why}" for version, why in interpreters.absent().items()]


@pytest.fixture
def valid() -> Callable[[Any], Any]:
    """``valid(document)`` checks a command's JSON by the schema it names, and gives it back."""
    return validate
