"""Pictures of the console as a terminal shows it: a real telnet, in a real tmux.

``python docs/screens.py`` makes ``docs/screens/*.svg``, from the demo
bank that is in a deadlock. It needs tmux and telnet.
"""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pyte

HERE = Path(__file__).parent
FOLDER = HERE / "screens"
SOCKET = f"asyncconsole-screens-{os.getpid()}"
WIDTHS = (80, 200)
ROWS = 24
PATIENCE = 30.0

SCREENS = {
    "locks": ["locks\r"],
    "deadlocks": ["deadlocks\r"],
    "top": ["top\r"],
    "top-locks": ["top\r", "l"],
}
"""What is typed for each; the last is what is shown."""

COLOURS = {
    "default": "#d4d4d4",
    "black": "#5a5a5a",
    "red": "#f48771",
    "green": "#89d185",
    "brown": "#e5c07b",
    "blue": "#75beff",
    "magenta": "#d7a8ff",
    "cyan": "#5fd7d7",
    "white": "#ffffff",
}
CELL, LINE, BASE, MARGIN = 7.83, 17, 13, 12


def tmux(window: str, *words: str) -> str:
    """What a window's own tmux says."""
    done = subprocess.run(
        ["tmux", "-L", f"{SOCKET}-{window}", "-f", "/dev/null", *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    return done.stdout


def until(window: str, text: str) -> None:
    """Wait until the window shows it.

    Raises:
        TimeoutError: It does not.
    """
    end = time.monotonic() + PATIENCE
    while text not in tmux(window, "capture-pane", "-p"):
        if time.monotonic() > end:
            raise TimeoutError(text)
        time.sleep(0.1)


def still(window: str) -> str:
    """The window with its colours, once it stays as it is for a moment."""
    last = ""
    for _ in range(50):
        time.sleep(0.4)
        now = tmux(window, "capture-pane", "-p", "-e")
        if now == last:
            break
        last = now
    return last


def picture(shown: str, columns: int) -> str:
    """A window as SVG."""
    screen = pyte.Screen(columns, ROWS)
    pyte.Stream(screen).feed(shown.rstrip("\n").replace("\n", "\r\n"))
    rows = len(shown.rstrip("\n").split("\n"))
    parts = []
    for row in range(rows):
        column = 0
        while column < columns:
            cell = screen.buffer[row][column]
            style = _style(cell)
            text = ""
            start = column
            while column < columns:
                cell = screen.buffer[row][column]
                if _style(cell) != style:
                    break
                text += cell.data
                column += 1
            parts += _run(text, start, row, style)
    width, height = columns * CELL + 2 * MARGIN, rows * LINE + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
        f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{BASE}">\n'
        f'<rect width="100%" height="100%" rx="6" fill="#1e1e1e"/>\n{"".join(parts)}</svg>\n'
    )


class Style(NamedTuple):
    """How a character looks."""

    ink: str
    paper: str
    bold: bool
    reverse: bool
    underlined: bool


def _style(cell: pyte.screens.Char) -> Style:
    return Style(cell.fg, cell.bg, cell.bold, cell.reverse, cell.underscore)


def _run(text: str, column: int, row: int, style: Style) -> list[str]:
    """Characters of one style, as rectangles and text."""
    ink = COLOURS.get(style.ink, COLOURS["default"])
    paper = None if style.paper == "default" else COLOURS.get(style.paper)
    if style.reverse:
        ink, paper = paper or "#1e1e1e", ink
    x, y = MARGIN + column * CELL, MARGIN + row * LINE
    found = []
    if paper:
        found.append(
            f'<rect x="{x:.1f}" y="{y}" width="{len(text) * CELL:.1f}" height="{LINE}" '
            f'fill="{paper}"/>\n'
        )
    if text.strip():
        extra = ' font-weight="bold"' * style.bold
        extra += ' text-decoration="underline"' * style.underlined
        found.append(
            f'<text x="{x:.1f}" y="{y + BASE}" fill="{ink}" xml:space="preserve" '
            f'textLength="{len(text) * CELL:.1f}"{extra}>{html.escape(text)}</text>\n'
        )
    return found


def main() -> None:
    """Make all of them."""
    FOLDER.mkdir(exist_ok=True)
    words = [sys.executable, "-m", "asyncconsole", "run", "--port", "0", "demo_apps/bank.py"]
    with subprocess.Popen(
        words, cwd=HERE.parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as bank:
        try:
            assert bank.stderr is not None
            port = re.findall(r"telnet \S+ (\d+)", bank.stderr.readline())[0]
            time.sleep(5)  # until it is in its deadlock, for a while
            for columns in WIDTHS:
                for name, typed in SCREENS.items():
                    window = f"{name}-{columns}"
                    size = ("-x", str(columns), "-y", str(ROWS))
                    tmux(window, "new-session", "-d", *size, "telnet", "127.0.0.1", port)
                    try:
                        until(window, "bank ")
                        tmux(window, "send-keys", "-R")
                        tmux(window, "clear-history")
                        for keys in typed:
                            tmux(window, "send-keys", "-l", keys)
                            shown = still(window)
                        (FOLDER / f"{window}.svg").write_text(picture(shown, columns))
                    finally:
                        tmux(window, "kill-server")
        finally:
            bank.terminate()


if __name__ == "__main__":
    main()
