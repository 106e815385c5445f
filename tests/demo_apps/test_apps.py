"""Each demo app alone, with plain Python: it goes wrong by itself, and ends when told to."""

from __future__ import annotations

import ast
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.interpreters import CHECKOUT, INTERPRETERS

APPS = CHECKOUT / "demo_apps"
NAMES = sorted(path.stem for path in APPS.glob("*.py"))

SIGNS = {
    "bank": "the bank is open",
    "ledger": "reading day-1.csv",
    "rpc": "3 calls wait for an answer",
    "events": "2 events wait for the consumer",
    "shop": "orders packed",
}
"""What it prints by the time it has gone wrong (the shop: when it is busy)."""


class Running:
    """A program and what it has printed."""

    def __init__(self, *words: str) -> None:
        self.child = subprocess.Popen(
            words, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.child.stdout is not None
        self.lines.extend(iter(self.child.stdout.readline, ""))

    def __enter__(self) -> Running:  # noqa: PYI034 - typing has no Self in Python 3.10
        return self

    def __exit__(self, *_: object) -> None:
        self.child.kill()
        self.child.wait(10)
        self._reader.join(10)
        assert self.child.stdout is not None
        self.child.stdout.close()

    def prints(self, text: str) -> None:
        """Wait until it has printed ``text``."""
        end = time.monotonic() + 30
        while not any(text in line for line in self.lines):
            assert time.monotonic() < end, self.lines
            assert self.child.poll() is None, self.lines
            time.sleep(0.02)


def test_nothing_is_untested() -> None:
    assert sorted(SIGNS) == NAMES
    readme = (APPS / "README.md").read_text()
    for name in NAMES:
        assert f"`{name}.py`" in readme


@pytest.mark.parametrize("name", NAMES)
def test_imports_nothing_of_ours(name: str) -> None:
    tree = ast.parse((APPS / f"{name}.py").read_text())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    allowed = {"aiohttp"} if name == "shop" else set()
    assert found <= set(sys.stdlib_module_names) | allowed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", NAMES)
def test_goes_wrong_and_ends(name: str, number: signal.Signals) -> None:
    with Running(sys.executable, str(APPS / f"{name}.py")) as app:
        app.prints(SIGNS[name])
        app.child.send_signal(number)
        assert app.child.wait(8) == 0  # also out of a blocking call
        app._reader.join(5)
        assert len(app.lines) > 1


@pytest.mark.parametrize("python", INTERPRETERS)
@pytest.mark.parametrize("name", [name for name in NAMES if name != "shop"])
def test_every_version(name: str, python: str) -> None:
    with Running(python, str(APPS / f"{name}.py")) as app:
        app.prints(SIGNS[name])


def test_shop_takes_a_port() -> None:
    with Running(sys.executable, str(APPS / "shop.py"), "--port", "0") as app:
        app.prints("http://127.0.0.1:")
