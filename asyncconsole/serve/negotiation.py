"""What is agreed with a telnet client: who echoes, how big its window is, which terminal."""

from __future__ import annotations

from asyncconsole.serve import telnet
from asyncconsole.serve.telnet import DO, DONT, IAC, SB, SE, WILL, WONT

_OFFER = (
    (DO, telnet.TERMINAL_TYPE),
    (DO, telnet.WINDOW_SIZE),
    (WILL, telnet.SUPPRESS_GO_AHEAD),
    (WILL, telnet.ECHO),
)
_SEND = 1
_IS = 0
_LARGEST = 1000


class Negotiation:
    """Pure: events in, bytes to answer with out.

    Attributes:
        width: Columns of the client's window.
        height: Rows of the client's window.
        terminal: Name of its terminal in lower case, "" until it told.
        settled: True once it has told, or refused, both.
    """

    def __init__(self) -> None:
        self.width = 80
        self.height = 24
        self.terminal = ""
        self._open = {telnet.TERMINAL_TYPE, telnet.WINDOW_SIZE}
        self._offered = False
        self._answered: set[tuple[int, int]] = set()

    @property
    def settled(self) -> bool:
        """Nothing more to wait for before the first prompt."""
        return not self._open

    def offer(self) -> bytes:
        """What to send first; nothing the second time."""
        if self._offered:
            return b""
        self._offered = True
        return b"".join(bytes((IAC, *pair)) for pair in _OFFER)

    def withdraw(self) -> bytes:
        """Give line editing and echo back to the client."""
        return bytes((IAC, WONT, telnet.ECHO, IAC, WONT, telnet.SUPPRESS_GO_AHEAD))

    def option(self, event: telnet.Option) -> bytes:
        """The answer to a client's WILL, WONT, DO or DONT.

        Every answer is given once (timing marks aside), so that two sides that
        contradict each other can't go on for ever.
        """
        verb, option = event.verb, event.option
        if verb == DO and option == telnet.TIMING_MARK:
            # A client that sent an interrupt throws our output away until it has this.
            return bytes((IAC, WILL, option))
        if verb == WONT:
            self._open.discard(option)
        if verb not in (WILL, DO) or (verb, option) in self._answered:
            return b""
        self._answered.add((verb, option))
        if verb == WILL and option == telnet.TERMINAL_TYPE:
            return bytes((IAC, SB, option, _SEND, IAC, SE))
        if self._agreed(verb, option):
            return b""
        if verb == WILL:
            return bytes((IAC, DO if option == telnet.SUPPRESS_GO_AHEAD else DONT, option))
        return bytes((IAC, WONT, option))

    def _agreed(self, verb: int, option: int) -> bool:
        """True for the client's yes to one of our own offers."""
        ours = DO if verb == WILL else WILL
        return (ours, option) in _OFFER

    def subnegotiation(self, event: telnet.Subnegotiation) -> bool:
        """Take in a window size or terminal type; True when the window changed."""
        self._open.discard(event.option)
        payload = event.payload
        if event.option == telnet.TERMINAL_TYPE and payload[:1] == bytes((_IS,)):
            name = payload[1:41].decode("ascii", "replace").lower()
            self.terminal = "".join(c for c in name if c.isalnum() or c in "-+._")
            return False
        if event.option != telnet.WINDOW_SIZE or len(payload) != 4:  # noqa: PLR2004 - two 16-bit numbers
            return False
        width, height = int.from_bytes(payload[:2], "big"), int.from_bytes(payload[2:], "big")
        # 0 means "unknown" (RFC 1073); beyond the bounds it is noise.
        if not (0 < width <= _LARGEST and 0 < height <= _LARGEST):
            return False
        width = max(width, 20)
        changed = (width, height) != (self.width, self.height)
        self.width, self.height = width, height
        return changed
