"""Telnet (RFC 854, 855) as a parser without I/O: bytes in, events out.

Line ends are made equal here: CR LF and CR NUL both come out as CR. The events do
not depend on how the bytes were cut into pieces, except that adjacent `Data` may
be split.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
EOF, BREAK, INTERRUPT, ARE_YOU_THERE, ERASE_CHARACTER, ERASE_LINE = 236, 243, 244, 246, 247, 248
ECHO, SUPPRESS_GO_AHEAD, TIMING_MARK, TERMINAL_TYPE, WINDOW_SIZE = 1, 3, 6, 24, 31

SUBNEGOTIATION_LIMIT = 1024
"""Bytes; a client that sends more in one subnegotiation is not a telnet."""

_NUL, _LF, _CR = 0, 10, 13


@dataclass(frozen=True, slots=True)
class Data:
    """What the person typed."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Command:
    """``IAC code`` without an argument."""

    code: int


@dataclass(frozen=True, slots=True)
class Option:
    """``IAC verb option``; verb is DO, DONT, WILL or WONT."""

    verb: int
    option: int


@dataclass(frozen=True, slots=True)
class Subnegotiation:
    """``IAC SB option payload IAC SE``."""

    option: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Overflow:
    """A subnegotiation without end; nothing after it is parsed."""


Event = Data | Command | Option | Subnegotiation | Overflow


class _State(Enum):
    DATA = auto()
    IAC = auto()
    VERB = auto()
    SUB = auto()
    SUB_IAC = auto()
    DEAD = auto()


class Parser:
    """Incremental: keeps what it needs between two calls of `feed`."""

    def __init__(self) -> None:
        self._state = _State.DATA
        self._after_cr = False
        self._verb = 0
        self._sub = bytearray()

    def feed(self, data: bytes) -> list[Event]:
        """The events that end in ``data``, in order. Never raises."""
        events: list[Event] = []
        text = bytearray()
        at = 0
        while at < len(data) and self._state is not _State.DEAD:
            if self._state is _State.DATA:
                at = self._text(data, at, text)
                continue
            if text:
                events.append(Data(bytes(text)))
                text.clear()
            self._byte(data[at], events, text)
            at += 1
        if text:
            events.append(Data(bytes(text)))
        return events

    def _text(self, data: bytes, at: int, text: bytearray) -> int:
        """Take text from ``data[at:]`` up to the next byte with a meaning."""
        byte = data[at]
        if self._after_cr:
            self._after_cr = False
            if byte in (_NUL, _LF):
                return at + 1
        if byte == IAC:
            self._state = _State.IAC
            return at + 1
        if byte == _CR:
            text.append(_CR)
            self._after_cr = True
            return at + 1
        stops = [stop for stop in (data.find(IAC, at), data.find(_CR, at)) if stop >= 0]
        end = min(stops, default=len(data))
        text += data[at:end]
        return end

    def _byte(self, byte: int, events: list[Event], text: bytearray) -> None:
        """One byte outside plain text."""
        if self._state is _State.IAC:
            self._after_iac(byte, events, text)
        elif self._state is _State.VERB:
            events.append(Option(self._verb, byte))
            self._state = _State.DATA
        elif self._state is _State.SUB:
            if byte == IAC:
                self._state = _State.SUB_IAC
            else:
                self._collect(byte, events)
        elif byte == IAC:
            self._state = _State.SUB
            self._collect(byte, events)
        elif byte == SE:
            if self._sub:
                events.append(Subnegotiation(self._sub[0], bytes(self._sub[1:])))
            self._state = _State.DATA
        else:
            # Another command inside: the subnegotiation was given up.
            self._after_iac(byte, events, text)

    def _after_iac(self, byte: int, events: list[Event], text: bytearray) -> None:
        self._state = _State.DATA
        if byte == IAC:
            text.append(IAC)
        elif byte in (DO, DONT, WILL, WONT):
            self._verb = byte
            self._state = _State.VERB
        elif byte == SB:
            self._sub.clear()
            self._state = _State.SUB
        else:
            events.append(Command(byte))

    def _collect(self, byte: int, events: list[Event]) -> None:
        if len(self._sub) > SUBNEGOTIATION_LIMIT:
            self._sub.clear()
            self._state = _State.DEAD
            events.append(Overflow())
        else:
            self._sub.append(byte)
