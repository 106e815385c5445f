"""A telnet client's line editor: prompt_toolkit on our own streams.

Imported when a telnet client arrives, and only then. prompt_toolkit gets neither the
process's terminal, nor its signals, nor a file descriptor (its own pipe input waits in
``select()``, which fails above descriptor 1023).
"""

from __future__ import annotations

import asyncio
import codecs
import logging
import os.path
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TextIO, cast

from prompt_toolkit import PromptSession
from prompt_toolkit.application import create_app_session, in_terminal
from prompt_toolkit.data_structures import Size
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import History, InMemoryHistory
from prompt_toolkit.input.typeahead import clear_typeahead, get_typeahead, store_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import ColorDepth

from asyncconsole.render.painter import ENTER_SCREEN, LEAVE_SCREEN
from asyncconsole.serve import block
from asyncconsole.serve.journal import log, note
from asyncconsole.serve.keyboard import Keyboard
from asyncconsole.serve.screen import LINE_LIMIT, KeyInput, Output, Screen
from asyncconsole.serve.stream import Stream

_MOST_CANDIDATES = 100
_AHEAD_LIMIT = 64 * 1024
_SLICE = 64
_PROMPT = "bold fg:ansidefault"
_PLAIN_TERMINALS = {"", "dumb", "unknown", "network"}

_REMEMBERED = 500

Complete = Callable[[str], Awaitable[tuple[int, Sequence[str]]]]

_typed: dict[str, deque[str]] = {}
"""What each user has typed in this process, oldest first."""


class _Typed(History):
    """Commands that somebody typed, in this session and in earlier ones.

    They are kept as long as the process lives, and not in a file: its disk may be slow or full.
    """

    def __init__(self, lines: deque[str]) -> None:
        super().__init__()
        self._lines = lines

    def load_history_strings(self) -> Iterable[str]:
        """Earlier lines, newest first."""
        return list(reversed(self._lines))

    def store_string(self, string: str) -> None:
        """Keep a line."""
        self._lines.append(string)


class EditorTerminal:
    """A person at a telnet client; a `Terminal` and a `stream.Consumer`.

    Args:
        stream: The connection.
        complete: Says what could stand at the end of a line.
        user: Whose earlier lines come back; "" for somebody who has none.
    """

    def __init__(self, stream: Stream, complete: Complete, user: str) -> None:
        self.width = stream.negotiation.width
        self.height = stream.negotiation.height
        self.colour = self.paints = stream.negotiation.terminal not in _PLAIN_TERMINALS
        self.interactive = True
        self._stream = stream
        self._outlet = stream.outlet
        self._interrupt: Callable[[], None] | None = None
        self._keyboard: Keyboard | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._ahead = bytearray()
        self._space = asyncio.Event()
        self._space.set()
        self._input = KeyInput()
        depth = ColorDepth.DEPTH_4_BIT if self.colour else ColorDepth.DEPTH_1_BIT
        self._output = Output(
            cast("TextIO", Screen(self._outlet)),
            self._size,
            term=stream.negotiation.terminal or "xterm",
            default_color_depth=depth,
            enable_bell=False,
            enable_cpr=False,  # a client that doesn't answer would be told so, on every prompt
        )
        self._complete = complete
        typed: deque[str] = deque(maxlen=_REMEMBERED)
        if user:
            typed = _typed.setdefault(user, typed)
        self._commands = self._session(_Typed(typed), python=False)
        self._python = self._session(InMemoryHistory(), python=True)

    def _size(self) -> Size:
        negotiation = self._stream.negotiation
        return Size(rows=negotiation.height, columns=negotiation.width)

    def _session(self, history: History, *, python: bool) -> PromptSession[str]:
        bindings = KeyBindings()
        if python:
            block.bind(bindings, lambda: bool(self._ahead))
        else:
            bindings.add("tab")(self._complete_command)
        # Reports nobody asked for: prompt_toolkit would trip over strange ones.
        bindings.add(Keys.Vt100MouseEvent)(_ignore)
        bindings.add(Keys.CPRResponse)(_ignore)
        session: PromptSession[str] = PromptSession(
            key_bindings=bindings,
            multiline=python,
            prompt_continuation=block.continuation,
            reserve_space_for_menu=0,
            history=history,
            enable_history_search=True,
            input=self._input,
            output=self._output,
        )
        app = session.app
        # It would replace sys.breakpointhook of the whole process while it prompts.
        app._enable_breakpointhook = nullcontext  # type: ignore[method-assign, assignment]  # noqa: SLF001 - no public way
        app.terminal_size_polling_interval = None  # the client tells (NAWS)
        return session

    async def read_line(self, prompt: str, *, python: bool = False) -> str:
        """See `Terminal.read_line`."""
        session = self._python if python else self._commands
        loop = asyncio.get_running_loop()
        idle = loop.call_later(self._stream.idle, self.end)
        feeder = loop.create_task(self._feed())
        try:
            with create_app_session(input=self._input, output=self._output):
                return await session.prompt_async(
                    _painted(prompt), set_exception_handler=False, handle_sigint=False
                )
        finally:
            idle.cancel()
            feeder.cancel()
            await self.drain()

    async def _complete_command(self, event: KeyPressEvent) -> None:
        """Tab: insert what is certain, else list the candidates above the prompt."""
        buffer = event.current_buffer
        before = buffer.document
        replace, candidates = await self._complete(before.text_before_cursor)
        if not candidates or buffer.document != before:
            return
        common = os.path.commonprefix(list(candidates))  # noqa: RUF071 - characters are meant
        if len(candidates) == 1 or len(common) > replace:
            buffer.delete_before_cursor(replace)
            buffer.insert_text(common + " " * (len(candidates) == 1))
            return
        async with in_terminal(render_cli_done=True):
            self.write(_columns(candidates, self.width))

    async def _feed(self) -> None:
        """Keep the editor in keys; when it trips over one, the client leaves, nobody else."""
        try:
            await self._feed_slices()
        except Exception as error:
            note(log, logging.ERROR, "the line editor failed", exc_info=error)
            self.end()

    async def _feed_slices(self) -> None:
        """Give the editor what was typed, in slices, so that other clients get their turns."""
        while True:
            if self._ahead and self._input.attached:
                piece = bytes(self._ahead[:_SLICE])
                del self._ahead[:_SLICE]
                if len(self._ahead) < _AHEAD_LIMIT:
                    self._space.set()
                if not self._input.feed(piece) or self._overlong():
                    self._refuse()
                await asyncio.sleep(0)
            else:
                self._input.news.clear()
                await self._input.news.wait()

    def _overlong(self) -> bool:
        sessions = (self._commands, self._python)
        return any(len(session.default_buffer.text) > LINE_LIMIT for session in sessions)

    def _refuse(self) -> None:
        limit = LINE_LIMIT // 1024
        self.write(f"\nAn edited line may have {limit} KiB; this one had more. Closing.\n")
        self._outlet.finish()
        self.end()

    def write(self, text: str) -> None:
        """See `Terminal.write`."""
        self._outlet.write(text.replace("\n", "\r\n").encode("utf-8", "replace"))

    async def drain(self) -> None:
        """See `Terminal.drain`."""
        await self._outlet.drain()

    def on_interrupt(self, callback: Callable[[], None] | None) -> None:
        """See `Terminal.on_interrupt`."""
        self._interrupt = callback

    @contextmanager
    def take_keys(
        self, *, screen: bool = False, lines: bool = False, every: float | None = None
    ) -> Iterator[Keyboard]:
        """See `Terminal.take_keys`."""
        typed = get_typeahead(self._input)  # behind the line that was accepted
        store_typeahead(self._input, typed)
        ahead = bool(self._ahead or typed)
        keyboard = self._keyboard = Keyboard(
            ahead=ahead, claimed=self._claim, returned=self._return
        )
        if self._input.closed:
            keyboard.end()
        if screen:
            self.write(ENTER_SCREEN)
        try:
            yield keyboard
        finally:
            self._keyboard = None
            if screen:
                self.write(LEAVE_SCREEN)

    def _return(self, text: str) -> None:
        """Take what was typed as keys for the next line."""
        self._ahead[:0] = text.encode("utf-8", "replace")
        self._input.news.set()

    def _claim(self) -> str:
        """Give up what was typed ahead."""
        text = "".join([key.data for key in get_typeahead(self._input)])
        text += self._decoder.decode(bytes(self._ahead))
        self._ahead.clear()
        self._space.set()
        return text

    def data(self, data: bytes) -> None:
        """Take typed bytes; Ctrl-C goes past everything while a command runs."""
        if self._keyboard is not None:
            self._keyboard.feed(self._decoder.decode(data))
            return
        if not self._input.attached and b"\x03" in data:
            data = data[data.rindex(b"\x03") + 1 :]
            self.interrupt()
        self._ahead += data
        if len(self._ahead) >= _AHEAD_LIMIT:
            self._space.clear()
        self._input.news.set()

    def interrupt(self) -> None:
        """See `stream.Consumer.interrupt`."""
        if self._keyboard is not None:
            self._keyboard.interrupt()
            return
        self._ahead.clear()
        self._space.set()
        if self._input.attached:
            self._ahead += b"\x03"
            self._input.news.set()
        elif self._interrupt is not None:
            self._interrupt()

    def end(self) -> None:
        """See `stream.Consumer.end`."""
        self._input.end()
        if self._keyboard is not None:
            self._keyboard.end()

    def resized(self) -> None:
        """See `stream.Consumer.resized`."""
        self.width = self._stream.negotiation.width
        self.height = self._stream.negotiation.height
        if self._keyboard is not None:
            self._keyboard.put("resize")
        for session in (self._commands, self._python):
            if session.app.is_running:
                session.app._on_resize()  # noqa: SLF001 - what its own telnet server calls

    async def room(self) -> None:
        """See `stream.Consumer.room`."""
        await self._space.wait()

    def close(self) -> None:
        """Forget what prompt_toolkit keeps about this client in its globals."""
        from prompt_toolkit.input import typeahead  # noqa: PLC0415 - next to its only use

        clear_typeahead(self._input)
        typeahead._buffer.pop(self._input.typeahead_hash(), None)  # noqa: SLF001 - clear keeps the key


def _painted(prompt: str) -> StyleAndTextTuples:
    """The prompt in bold, and its warning in red."""
    head, bracket, rest = prompt.partition("[")
    # With a colour, even the default one, the blank at the end is drawn and not jumped
    # over; programs that drive a telnet wait for it.
    if not bracket:
        return [(_PROMPT, prompt)]
    warning, end, rest = rest.partition("]")
    return [(_PROMPT, head), ("bold ansired", bracket + warning + end), (_PROMPT, rest)]


def _ignore(event: KeyPressEvent) -> None:
    """Do nothing."""


def _columns(candidates: Sequence[str], width: int) -> str:
    """Candidates in columns, a bounded number of them."""
    shown = sorted(set(candidates))[:_MOST_CANDIDATES]
    cell = max(map(len, shown)) + 2
    columns = max(1, width // cell)
    lines = [shown[start : start + columns] for start in range(0, len(shown), columns)]
    text = "".join("".join(f"{word:<{cell}}" for word in row).rstrip() + "\n" for row in lines)
    more = len(set(candidates)) - len(shown)
    return text + (f"... and {more} more\n" if more else "")
