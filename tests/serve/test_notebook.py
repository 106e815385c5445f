"""A console in a notebook's kernel, whose loop runs already and runs the cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from tests.children import ENVIRONMENT, connect

Run = Callable[[str], str]

START = """
import asyncio, time, asyncconsole
console = asyncconsole.start(port=0, unix_socket=False, stall_threshold=0.2)
print(console.port)
"""
BLOCK = """
def crunch():
    time.sleep(1)
crunch()
"""
WAIT = """
lock = asyncio.Lock()
inside = asyncio.Event()
async def hold():
    async with lock:
        inside.set()
        await asyncio.Event().wait()
tasks = [asyncio.create_task(hold(), name="holder")]
await inside.wait()
tasks.append(asyncio.create_task(lock.acquire(), name="waiter"))
await asyncio.sleep(0)
"""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a cell and gives what it printed."""
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")  # else it complains
    for name in ("PYTHONPATH", "PYTHONIOENCODING"):
        monkeypatch.setenv(name, ENVIRONMENT[name])
    manager, client = start_new_kernel(kernel_name="python3")

    def cell(source: str) -> str:
        told: list[str] = []

        def take(message: dict[str, Any]) -> None:
            told.append(message["content"].get("text", ""))

        reply = client.execute_interactive(source, timeout=60, output_hook=take)
        assert reply["content"]["status"] == "ok", reply["content"]
        return "".join(told)

    try:
        yield cell
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_stalls_and_locks_of_cells(run: Run) -> None:
    port = int(run(START))
    run(BLOCK)
    run(WAIT)
    stalls = connect(port, "stalls").stdout
    assert "blocking call" in stalls
    assert "crunch → time.sleep" in stalls
    locks = connect(port, "locks").stdout
    assert "holder" in locks
    assert "waiter" in locks
    run("console.close(); [task.cancel() for task in tasks]")
    assert connect(port, "ps").returncode == 3
