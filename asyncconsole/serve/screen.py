"""What prompt_toolkit reads from and writes to, instead of a terminal of this process."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from prompt_toolkit.input.base import Input
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.output.vt100 import Vt100_Output

from asyncconsole.serve.outlet import Outlet

LINE_LIMIT = 8 * 1024
"""Characters of one edited line: the editor needs a kilobyte of memory for each."""

_SEQUENCE_LIMIT = 32


class Output(Vt100_Output):
    """Without bracketed paste: a pasted block is a number of typed lines here."""

    def enable_bracketed_paste(self) -> None:
        """Don't."""

    def disable_bracketed_paste(self) -> None:
        """It never was on."""


class KeyInput(Input):
    """Bytes to keys, without a file descriptor."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self._keys: list[KeyPress] = []
        self._parser = Vt100Parser(self._keys.append)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._ready: list[Callable[[], None]] = []
        self._ended = False
        self._sequence = 0
        self._silent = 0

    @property
    def attached(self) -> bool:
        """True while a prompt listens."""
        return bool(self._ready)

    def feed(self, data: bytes) -> bool:
        """Parse typed bytes and tell the prompt; False for an endless paste."""
        text = "".join(filter(self._sane, self._decoder.decode(data)))
        had = len(self._keys)
        self._parser.feed(text)
        # Inside a bracketed paste the parser collects and gives no keys.
        self._silent = 0 if len(self._keys) > had else self._silent + len(text)
        if self._silent > LINE_LIMIT:
            self._parser.reset()
            return False
        self._tell()
        return True

    def _sane(self, character: str) -> bool:
        """False inside an endless escape sequence; the parser would remember all its prefixes."""
        if character == "\x1b":
            self._sequence = 1
        elif self._sequence and character in "[<;0123456789":
            self._sequence += 1
        else:
            self._sequence = 0
        return self._sequence <= _SEQUENCE_LIMIT

    def end(self) -> None:
        """No more keys will come."""
        self._ended = True
        self._tell()

    def _tell(self) -> None:
        if self._ready:
            self._ready[-1]()

    def fileno(self) -> int:
        """There is none."""
        raise NotImplementedError

    def typeahead_hash(self) -> str:
        """Tells this client's keys from another's."""
        return f"asyncconsole-{id(self)}"

    def read_keys(self) -> list[KeyPress]:
        """Keys parsed since the last call."""
        keys = list(self._keys)
        self._keys.clear()
        return keys

    def flush_keys(self) -> list[KeyPress]:
        """A lone Escape, once it is clear that nothing follows."""
        self._parser.flush()
        return self.read_keys()

    @property
    def closed(self) -> bool:
        """True once the client has left."""
        return self._ended

    def raw_mode(self) -> AbstractContextManager[None]:
        """The client's terminal is in this mode already."""
        return nullcontext()

    def cooked_mode(self) -> AbstractContextManager[None]:
        """Nothing to change."""
        return nullcontext()

    @contextmanager
    def attach(self, input_ready_callback: Callable[[], None]) -> Iterator[None]:
        """Call back whenever there are keys."""
        self._ready.append(input_ready_callback)
        self.news.set()
        if self._ended:
            asyncio.get_running_loop().call_soon(self._tell)
        try:
            yield
        finally:
            self._ready.remove(input_ready_callback)

    @contextmanager
    def detach(self) -> Iterator[None]:
        """Call nobody back for a while."""
        before, self._ready = self._ready, []
        try:
            yield
        finally:
            self._ready = before
            self.news.set()


class Screen:
    """What prompt_toolkit believes is a stdout."""

    encoding = "utf-8"

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    def write(self, text: str) -> int:
        """Queue text for the client."""
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
        self._outlet.write(text.encode("utf-8", "replace"))
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back here."""

    def isatty(self) -> bool:
        """As far as the editor is concerned."""
        return True
