"""A session with a person at a terminal: the line is edited here, not in the program.

The editor (prompt_toolkit) runs in this process; the console only asks for lines. A thread
reads the wire; everything else happens on one event loop.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from asyncconsole.client import screen
from asyncconsole.client.history import open_history
from asyncconsole.client.keys import Keys
from asyncconsole.client.wire import Message, Wire
from asyncconsole.model.errors import ConsoleError

try:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.application import run_in_terminal
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion
    from prompt_toolkit.document import Document
    from prompt_toolkit.formatted_text import ANSI
    from prompt_toolkit.history import InMemoryHistory
    from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
    from prompt_toolkit.key_binding import KeyBindings

    from asyncconsole.serve import block
except ImportError as missing:
    need = (
        "a session at a terminal needs prompt_toolkit (pip install prompt_toolkit); "
        "`connect -c COMMAND` works without."
    )
    raise ConsoleError(need) from missing

READ_AHEAD = 64  # messages kept while the terminal is slow
COMPLETION_WAIT = 1.0  # seconds for the console to say what could stand there
GLANCE = 0.5  # seconds between looks at a program that does not answer
GOODBYE_WAIT = 2.0  # seconds for the console to let go after Ctrl-D
INTERRUPTED = 130


def hold(wire: Wire, command: str | None = None) -> int:
    """Hold the session until somebody ends it; returns the exit code.

    Args:
        wire: The session.
        command: The only one to run, in a session that is not interactive; None to be asked.

    Raises:
        GoneError: The program ended, or its console did, without saying so.
        DeadlineError: It takes nothing any more.
    """
    dialogue = Dialogue(wire, command)
    return asyncio.run(dialogue.run())


class Dialogue:
    """One person's session."""

    def __init__(self, wire: Wire, command: str | None = None) -> None:
        self._wire = wire
        self._command = command
        # The thread that reads is not to look: there is nothing to hear while a person types.
        self._onlooker, wire.onlooker = wire.onlooker, None
        self._inbox: asyncio.Queue[Message | ConsoleError] = asyncio.Queue(READ_AHEAD)
        self._asked: deque[asyncio.Future[Message]] = deque()
        self._typed: deque[str] = deque()  # lines pasted, for prompts to come
        self._draft = ""  # the beginning of the next line
        self._size = screen.width(sys.stdout), screen.height()
        self._keys = Keys(self._type, self._interrupt, self._leave)
        self._prompting = False
        self._over = False
        self._interrupted: float | None = None  # when Ctrl-C was pressed without an answer since
        completer = WireCompleter(self.complete)
        self._commands: PromptSession[str] = PromptSession(
            history=open_history(), completer=completer, complete_while_typing=False
        )
        self._python: PromptSession[str] = PromptSession(
            history=InMemoryHistory(),
            multiline=True,
            prompt_continuation=block.continuation,
            key_bindings=block.bind(KeyBindings()),
        )
        self._left: asyncio.Future[int] | None = None

    async def run(self) -> int:
        """Take part until it ends."""
        loop = asyncio.get_running_loop()
        self._left = loop.create_future()
        threading.Thread(target=self._read, args=(loop,), daemon=True).start()
        with self._signals(), self._keys, self._ending():
            if self._command is not None:
                self._wire.send({"run": self._command})
            talk = asyncio.ensure_future(self._talk())
            await asyncio.wait([talk, self._left], return_when=asyncio.FIRST_COMPLETED)
            if talk.done():
                return talk.result()
            talk.cancel()
            with suppress(asyncio.CancelledError):
                await talk
            return self._left.result()

    async def complete(self, text: str) -> Message:
        """What could stand at the end of ``text``; {} when the console doesn't say."""
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)  # answers come in the order of the questions
        self._wire.send({"complete": text})
        with suppress(asyncio.TimeoutError):
            return await asyncio.wait_for(asyncio.shield(answer), COMPLETION_WAIT)
        return {}

    async def _talk(self) -> int:
        while True:
            message = await self._next()
            if isinstance(message, ConsoleError):
                raise message
            if "out" in message:
                screen.write(str(message["out"]))
            elif "error" in message:
                screen.complain(str(message["error"]))
            elif "prompt" in message:
                code = await self._answer(str(message["prompt"]), bool(message.get("python")))
                if code is not None:
                    return code
            elif "keys" in message:
                self._keys.switch(on=bool(message["keys"]), whole=bool(message.get("screen")))
                if message["keys"] and self._ahead():
                    self._wire.send({"ahead": True})
            elif "typed" in message:
                *lines, self._draft = str(message["typed"]).replace("\r", "\n").split("\n")
                self._typed.extend(lines)
            elif "done" in message:
                code = message["done"]
                return code if isinstance(code, int) else 1
            elif "bye" in message:
                if message["bye"]:
                    screen.write(f"{message['bye']}\n")
                return 0

    async def _next(self) -> Message | ConsoleError:
        """The console's next word; while none comes, a look at what its program does."""
        began = time.monotonic()
        loop = asyncio.get_running_loop()
        coming = asyncio.ensure_future(self._inbox.get())
        try:
            while not (await asyncio.wait([coming], timeout=GLANCE))[0]:
                if self._onlooker is not None:
                    silent = time.monotonic() - began
                    await loop.run_in_executor(None, self._onlooker.silent, silent, None)
            return coming.result()
        finally:
            coming.cancel()
            if self._onlooker is not None:
                self._onlooker.heard()

    async def _answer(self, prompt: str, python: bool) -> int | None:
        """Ask the person for a line and pass it on; the exit code when nobody takes it."""
        self._interrupted = None
        self._resized()
        try:
            line = self._typed.popleft() if self._typed else await self._edit(prompt, python)
        except KeyboardInterrupt:
            self._wire.send({"interrupt": True})
            return None
        except EOFError:
            if not self._inbox.empty():
                return None  # the console ended the prompt, and says why
            self._wire.send({"eof": True})
            return await self._goodbye()
        first, *more = line.split("\n")
        self._typed.extend(more)
        self._resized()
        self._wire.send({"line": first})
        return None

    def _ahead(self) -> bool:
        """True when the next line has been typed already, at least in part."""
        typed = get_typeahead(self._commands.app.input)
        store_typeahead(self._commands.app.input, typed)
        return bool(typed or self._typed)

    async def _edit(self, prompt: str, python: bool) -> str:
        session = self._python if python else self._commands
        self._prompting = True
        try:
            draft, self._draft = self._draft, ""
            return await session.prompt_async(ANSI(prompt), default=draft)
        finally:
            self._prompting = False

    async def _goodbye(self) -> int | None:
        """After Ctrl-D: None when the console goes on, 0 when it says nothing more."""
        end = time.monotonic() + GOODBYE_WAIT
        while self._inbox.empty():
            if time.monotonic() > end:
                return 0
            await asyncio.sleep(0.02)
        return None

    async def _receive(self, message: Message | ConsoleError) -> None:
        """Sort one message; the reading thread waits until it has its place."""
        self._interrupted = None
        if isinstance(message, dict) and "completions" in message:
            if self._asked:
                answer = self._asked.popleft()
                if not answer.done():
                    answer.set_result(message)
        elif isinstance(message, dict) and "out" in message and self._prompting:
            text = str(message["out"])
            await run_in_terminal(lambda: screen.write(text))
        else:
            await self._inbox.put(message)
            if self._prompting and (isinstance(message, ConsoleError) or "bye" in message):
                for session in (self._commands, self._python):
                    if session.app.is_running:
                        session.app.exit(exception=EOFError())

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        """Read the wire, in a thread of its own."""
        message: Message | ConsoleError
        while True:
            try:
                message = self._wire.receive()
            except ConsoleError as gone:
                message = gone
            if self._over:
                return
            taken = self._receive(message)
            try:
                asyncio.run_coroutine_threadsafe(taken, loop).result()
            except (RuntimeError, asyncio.CancelledError):
                taken.close()
                return  # the session has ended, and its loop with it
            if isinstance(message, ConsoleError):
                return

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """Let the thread that reads know when nobody listens any more."""
        try:
            yield
        finally:
            self._over = True

    def _resized(self) -> None:
        """Tell the console the window's size when that has changed."""
        size = screen.width(sys.stdout), screen.height()
        if size != self._size:
            self._size = size
            self._wire.send({"width": size[0], "height": size[1]})

    def _type(self, text: str) -> None:
        """Pass on keys."""
        with suppress(ConsoleError):  # the thread that reads finds out why
            self._wire.send({"keys": text}, time.monotonic() + 1)

    def _interrupt(self) -> None:
        """Ctrl-C while a command runs: ask the console; a second one leaves a silent console."""
        if self._prompting:
            return  # the editor has its own
        now = time.monotonic()
        if self._interrupted is not None and now - self._interrupted > 1:
            self._leave(INTERRUPTED)
            return
        if self._interrupted is None:
            self._interrupted = now
        try:
            self._wire.send({"interrupt": True}, now + 1)
        except ConsoleError:
            self._leave(INTERRUPTED)

    def _leave(self, code: int) -> None:
        if self._left is not None and not self._left.done():
            self._left.set_result(code)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Ctrl-C and resizing while no line is edited; the editor has handlers of its own."""
        loop = asyncio.get_running_loop()

        def interrupted(_number: int, _frame: Any) -> None:
            loop.call_soon_threadsafe(self._interrupt)

        # The editor restores what `signal.signal` set for SIGINT, and what the loop had for
        # SIGWINCH (prompt_toolkit's `attach_winch_signal_handler` knows no other kind).
        before = signal.signal(signal.SIGINT, interrupted)
        resizing = getattr(signal, "SIGWINCH", None)
        if resizing is not None:
            loop.add_signal_handler(resizing, self._resized)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
            if resizing is not None:
                loop.remove_signal_handler(resizing)


class WireCompleter(Completer):
    """Completion by the console, which knows the names of tasks and locks."""

    def __init__(self, ask: Callable[[str], Any]) -> None:
        self._ask = ask

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,
    ) -> list[Completion]:
        """Nothing: the console is asked without blocking, see below."""
        return []

    async def get_completions_async(
        self,
        document: Document,
        complete_event: CompleteEvent,
    ) -> AsyncGenerator[Completion, None]:
        """Ask the console."""
        try:
            answer = await self._ask(document.text_before_cursor)
        except ConsoleError:
            return  # the next line finds out
        candidates = [str(text) for text in answer.get("completions", ())]
        space = " " if len(candidates) == 1 else ""  # as a shell does: the next word may follow
        for text in candidates:
            yield Completion(text + space, start_position=-int(answer.get("replace", 0)))
