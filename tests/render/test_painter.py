"""A window drawn piece by piece is the window."""

from __future__ import annotations

import pyte
from hypothesis import given
from hypothesis import strategies as st

from asyncconsole.render.painter import Painter

LINES = st.lists(
    st.sampled_from(["", "a", "bank.py", "\x1b[1mbold\x1b[0m x", "x" * 19]), max_size=7
)


@given(st.lists(st.tuples(LINES, st.sampled_from([(20, 5), (25, 4)])), min_size=1, max_size=6))
def test_whatever_was_shown_before(frames):
    screen = pyte.Screen(20, 5)
    stream = pyte.Stream(screen)
    painter = Painter()
    for lines, (width, height) in frames:
        screen.resize(height, width)
        stream.feed(painter.paint(lines, width, height))
        shown = [text.rstrip() for text in screen.display]
        plain = [text.replace("\x1b[1m", "").replace("\x1b[0m", "") for text in lines]
        assert shown == [*plain[:height], *[""] * (height - len(plain))]


def test_only_what_has_changed_is_sent():
    painter = Painter()
    painter.paint(["one", "two"], 20, 5)
    assert painter.paint(["one", "two"], 20, 5) == ""
    assert "one" not in painter.paint(["one", "three"], 20, 5)
    painter.forget()
    assert "one" in painter.paint(["one", "three"], 20, 5)
