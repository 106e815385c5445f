"""A program with a real loop in the main thread, and REPL sessions beside it in another.

Standard library only: it runs in child processes on every interpreter.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from asyncconsole.commands import console
from asyncconsole.model import Frame, Loop, Snapshot, Stall, UnknownItemError

PATIENCE = 10.0


async def until(condition: Callable[[], Any], what: str) -> None:
    """Wait until ``condition()`` holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            msg = f"did not happen: {what}"
            raise AssertionError(msg)
        await asyncio.sleep(0.005)


class Program:
    """Real loops, what went wrong in them, and the port through which the REPL sees them."""

    read_only = False

    def __init__(self, loops: list[asyncio.AbstractEventLoop]) -> None:
        self.loops = loops
        self.beats = 0
        self.beat_at = time.monotonic()
        self.complaints: list[Any] = []
        self.ignored: list[Any] = []
        self.values: dict[str, Any] = {"program_loop": loops[0], "answer": 42}

    async def tick(self) -> None:
        """The program's own work: shows that its loop goes on."""
        while True:
            self.beats += 1
            self.beat_at = time.monotonic()
            await asyncio.sleep(0.005)

    def complain(self, _loop: Any, context: dict[str, Any]) -> None:
        """The loops' exception handler."""
        self.complaints.append(context)

    async def goes_on(self) -> None:
        """Wait for the loop to turn; nothing may have been complained about."""
        seen = self.beats
        await until(lambda: self.beats > seen + 2, "the program's loop goes on")
        assert not self.complaints, self.complaints
        names = [task.get_name() for task in asyncio.all_tasks(self.loops[0])]
        assert "asyncconsole-repl" not in names, names

    async def awaits(self) -> None:
        """Wait until a statement waits at an await of its own."""

        def some() -> bool:
            tasks = asyncio.all_tasks(self.loops[0])
            found = [task for task in tasks if task.get_name() == "asyncconsole-repl"]
            return any(getattr(task, "_fut_waiter", None) is not None for task in found)

        await until(some, "a statement awaits")

    def block(self, event: threading.Event) -> None:
        """Block the first loop until ``event``; returns when it is blocked."""
        started = threading.Event()

        def hold() -> None:
            started.set()
            event.wait(PATIENCE)

        self.loops[0].call_soon_threadsafe(hold)
        assert started.wait(PATIENCE)

    # ReplTarget

    async def snapshot(self, scope: str = "all", *, first: int | None = None) -> Snapshot:
        assert scope == "loops"
        seen = self.beats
        end = time.monotonic() + 0.3
        while self.beats == seen and time.monotonic() < end:
            await asyncio.sleep(0.01)
        late = time.monotonic() - self.beat_at if self.beats == seen else None
        found = []
        for number, loop in enumerate(self.loops, 1):
            blocked = late if number == 1 and loop.is_running() else None
            found.append(Loop(number, "loop", running=loop.is_running(), blocked=blocked))
        return Snapshot(1, "stage.py", "3", "now", loops=tuple(found))

    async def settle(self) -> None:
        raise AssertionError

    async def cancel(self, tasks: Any, wait: float) -> Any:
        raise AssertionError

    def stalls(self) -> list[Stall]:
        if time.monotonic() - self.beat_at < 0.3:
            return []
        frame = Frame("/srv/ledger.py", 88, "read_ledger")
        late = time.monotonic() - self.beat_at
        return [Stall(1, 1, "now", late, True, "blocking_call", None, "", frame, "time.sleep")]

    def probe(self, *, on: bool | None = None, threshold: float | None = None) -> Any:
        raise AssertionError

    def namespace(self) -> dict[str, Any]:
        return dict(self.values)

    def submit(self, loop: int, function: Callable[[], Any]) -> Callable[[], None]:
        if not 1 <= loop <= len(self.loops) or self.loops[loop - 1].is_closed():
            msg = f"No loop {loop}."
            raise UnknownItemError(msg)
        return self.loops[loop - 1].call_soon_threadsafe(function).cancel

    def ignore_loop(self, loop: Any) -> None:
        self.ignored.append(loop)


class Keyboard:
    """A `Terminal` whose person is a test."""

    width = 80
    colour = False

    def __init__(self, interactive: bool = True) -> None:
        self.interactive = interactive
        self.text = ""
        self.prompts: list[str] = []
        self.waiting = False
        self.taking = asyncio.Event()
        self.taking.set()
        self._typed: asyncio.Queue[Any] = asyncio.Queue()
        self._callback: Callable[[], None] | None = None

    async def read_line(self, prompt: str, *, python: bool = False) -> str:
        self.prompts.append(prompt)
        self.waiting = self._typed.empty()
        try:
            typed = await self._typed.get()
        finally:
            self.waiting = False
        if isinstance(typed, BaseException):
            raise typed
        return typed

    def write(self, text: str) -> None:
        self.text += text

    async def drain(self) -> None:
        await self.taking.wait()

    def on_interrupt(self, callback: Callable[[], None] | None) -> None:
        self._callback = callback

    def type(self, *lines: Any) -> None:
        """Type lines; an exception stands for Ctrl-D or Ctrl-C at the prompt."""
        self.waiting = False
        for line in lines:
            self._typed.put_nowait(line)

    @property
    def listens(self) -> bool:
        """True while Ctrl-C is heard outside a prompt."""
        return self._callback is not None

    async def press(self) -> None:
        """Ctrl-C while a statement runs."""
        await until(lambda: self.listens, "somebody listens to Ctrl-C")
        assert self._callback is not None
        self._callback()

    async def ask(self, *lines: Any) -> str:
        """Type lines, wait for the next prompt; what was written meanwhile."""
        before = len(self.text)
        self.type(*lines)
        await until(lambda: self.waiting and self._typed.empty(), f"a prompt after {lines}")
        return self.text[before:]

    async def reads(self, part: str) -> None:
        """Wait until ``part`` has been written."""
        await until(lambda: part in self.text, f"{part!r} is written; there is {self.text!r}")


class Talk(Keyboard):
    """A keyboard with a running session.

    Attributes:
        session: The task of the ``console`` command.
    """

    session: asyncio.Task[Any]

    @property
    def left(self) -> bool:
        return self.session.done()


@contextlib.asynccontextmanager
async def talk(
    program: Program, *options: str, interactive: bool = True, wait: bool = True
) -> AsyncIterator[Talk]:
    """A session; left with Ctrl-D and then over, whatever the test did in it."""
    keys = Talk(interactive)
    call = console.COMMAND.parse(list(options))
    keys.session = asyncio.create_task(console.COMMAND.run(program, call, keys))
    try:
        if wait:
            await until(lambda: keys.waiting or keys.left, "the first prompt")
        yield keys
        if not keys.left:
            keys.type(EOFError())
            await asyncio.wait({keys.session}, timeout=PATIENCE)
        assert keys.session.done()
        result = keys.session.result()
        assert result.exit_code == 0
    finally:
        keys.session.cancel()
        await asyncio.wait({keys.session})
