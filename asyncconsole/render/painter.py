"""Drawing a window again and again: only lines that have changed are sent."""

from __future__ import annotations

from collections.abc import Sequence

ENTER_SCREEN = "\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J"
"""The alternate screen, without a cursor."""

LEAVE_SCREEN = "\x1b[0m\x1b[?25h\x1b[?1049l"
"""Everything as it was before."""


class Painter:
    """Knows what stands on a client's screen."""

    def __init__(self) -> None:
        self._shown: list[str | None] = []
        self._size = (0, 0)

    def paint(self, lines: Sequence[str], width: int, height: int) -> str:
        """What makes the window show these lines; "" when it does already.

        Args:
            lines: Each narrower than the window; what is too many for it is left out.
            width: Columns of the window.
            height: Its rows.
        """
        clear = ""
        if (width, height) != self._size:
            self._size = (width, height)
            self._shown = [""] * height
            clear = "\x1b[0m\x1b[H\x1b[2J"
        wanted = [*lines[:height], *[""] * (height - len(lines))]
        pieces = [
            f"\x1b[{number};1H{line}\x1b[0m\x1b[K"
            for number, (line, before) in enumerate(zip(wanted, self._shown, strict=True), 1)
            if line != before
        ]
        self._shown = list(wanted)
        # Whoever else writes there (a telnet that lost its connection) does so in the last line.
        return f"{clear}{''.join(pieces)}\x1b[{height};1H" if pieces or clear else ""

    def forget(self) -> None:
        """Something else has been written there: draw everything the next time."""
        self._size = (0, 0)
