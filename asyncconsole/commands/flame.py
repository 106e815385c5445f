"""Stalls as folded stacks, and as a flame graph (SVG) that a browser shows.

Widths are time, not samples: while C code holds the GIL for seconds there is one sample of it.
A stall's time is shared out among its stacks by how often each was seen.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence

from asyncconsole.commands import phrases
from asyncconsole.model import Frame, Stall
from asyncconsole.model.stall import turn

WIDTH = 1200
ROW = 18
MARGIN = 10
HEAD = 40
LETTER = 7.2
"""Pixels that a letter takes."""

SHORTEST = 3
"""Letters of which at least there must be room for any to be shown."""

NARROWEST = 0.1
"""Pixels below which a box is left out."""


class Box:
    """A function at a line, below the same callers.

    Attributes:
        frame: None for a loop.
        title: What stands in it.
        seconds: Time of stalls that was spent in it.
        samples: How often it was seen.
        inner: What it has called.
    """

    __slots__ = ("frame", "inner", "samples", "seconds", "title")

    def __init__(self, title: str, frame: Frame | None = None) -> None:
        self.title = title
        self.frame = frame
        self.seconds = 0.0
        self.samples = 0
        self.inner: dict[object, Box] = {}

    def add(self, seconds: float, samples: int) -> None:
        """Count a stack that goes through it."""
        self.seconds += seconds
        self.samples += samples

    def call(self, key: object, title: str, frame: Frame | None) -> Box:
        """What it has called, made when it is new."""
        return self.inner.setdefault(key, Box(title, frame))


def grow(stalls: Iterable[Stall]) -> Box:
    """All stalls as one tree; its root's boxes are loops."""
    root = Box("all stalls")
    for stall in stalls:
        total = sum(count for _, count in stall.stacks)
        shares = [(turn(stack), count, count / total) for stack, count in stall.stacks]
        for frames, count, share in shares or [((), 0, 1.0)]:
            seconds = stall.duration * share
            root.add(seconds, count)
            box = root.call(stall.loop, f"loop {stall.loop}", None)
            box.add(seconds, count)
            for frame in frames:
                place = (frame.file, frame.line, frame.function)
                spot = f"{frame.function} ({phrases.base(frame.file)}:{frame.line})"
                box = box.call(place, spot, frame)
                box.add(seconds, count)
            if not frames:
                box.call(None, "(not seen)", None).add(seconds, count)
    return root


def folded(stalls: Iterable[Stall]) -> Iterator[str]:
    """``outer;inner COUNT`` of each stack, where COUNT is milliseconds; in order."""
    todo: list[tuple[str, Box]] = [("", grow(stalls))]
    lines: dict[str, float] = {}
    while todo:
        path, box = todo.pop()
        own = box.seconds - sum(inner.seconds for inner in box.inner.values())
        if own * 1000 >= 0.5:  # noqa: PLR2004 - rounds to one
            lines[path] = lines.get(path, 0.0) + own
        for inner in box.inner.values():
            name = inner.title.replace(";", ":")
            todo.append((f"{path};{name}" if path else name, inner))
    for path in sorted(lines):
        yield f"{path} {lines[path] * 1000:.0f}"


def svg(stalls: Sequence[Stall]) -> Iterator[str]:
    """The lines of a flame graph: callers below, what they called on top of them."""
    root = grow(stalls)
    boxes = list(_placed(root)) if root.seconds else []
    depth = max((level for _, level, _, _ in boxes), default=0)
    height = HEAD + (depth + 1) * ROW + MARGIN
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="12">'
    )
    yield "<style>g:hover rect{stroke:#000}</style>"
    yield f'<rect width="{WIDTH}" height="{height}" fill="#fffdf7"/>'
    yield f'<text x="{MARGIN}" y="24" font-size="15">{_text(_heading(stalls, root))}</text>'
    for box, level, left, width in boxes:
        top = height - MARGIN - (level + 1) * ROW
        share = box.seconds / root.seconds * 100
        place = box.title
        if box.frame is not None:
            place = f"{box.frame.function} ({box.frame.file}:{box.frame.line})"
        seen = f"{phrases.plural(box.samples, 'sample')}, {box.seconds:.3f} s, {share:.1f} %"
        room = max(0, int((width - 6) / LETTER))
        room = 0 if room < SHORTEST else room
        label = box.title if len(box.title) <= room else f"{box.title[: room - 1]}…"
        yield (
            f"<g><title>{_text(place)}, {seen}</title>"
            f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{ROW - 1}" rx="1" '
            f'fill="{_colour(box)}"/>'
            f'<text x="{left + 3:.1f}" y="{top + 13}">{_text(label) if room else ""}</text></g>'
        )
    yield "</svg>"


def _placed(root: Box) -> Iterator[tuple[Box, int, float, float]]:
    """Every box that is wide enough, with its level, its left edge and its width in pixels."""
    scale = (WIDTH - 2 * MARGIN) / root.seconds
    todo = [(root, 0, float(MARGIN))]
    while todo:
        box, level, left = todo.pop()
        width = box.seconds * scale
        if width < NARROWEST:
            continue
        yield box, level, left, width
        for inner in sorted(box.inner.values(), key=lambda one: one.title):
            todo.append((inner, level + 1, left))
            left += inner.seconds * scale


def _heading(stalls: Sequence[Stall], root: Box) -> str:
    if not stalls:
        return "No stalls are recorded."
    since = min(stall.started_at for stall in stalls)
    count = phrases.plural(len(stalls), "stall")
    return f"{count} since {since}, {root.seconds:.1f} s in all. Width is time, callers are below."


def _colour(box: Box) -> str:
    """The same for the same function everywhere; strong for the program's own code."""
    if box.frame is None:
        return "#d8d2c4"
    mark = zlib.crc32(f"{box.frame.function} {box.frame.file}".encode("utf-8", "replace"))
    hue = 10 + mark % 40
    return f"hsl({hue},90%,62%)" if box.frame.own else f"hsl({hue + 30},45%,78%)"


def _text(text: str) -> str:
    """Text for XML; characters that XML can't have are shown otherwise where lines are shown."""
    return text.translate(_ESCAPED)


_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
