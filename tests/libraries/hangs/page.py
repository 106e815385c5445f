"""The page of the documentation that quotes what the console says of these programs.

A quotation stands behind a line ``<!-- verdict of NAME -->``. What differs from run to run is
not compared: numbers of tasks, seconds, and the program's other gaps.
"""

from __future__ import annotations

import re

from tests.interpreters import CHECKOUT

PAGE = CHECKOUT / "docs" / "real-hangs.md"
QUOTED = re.compile(r"<!-- verdict of (\w+) -->\n```text\n(.*?)```\n", re.DOTALL)


def quotations():
    """What the page quotes, by program."""
    return dict(QUOTED.findall(PAGE.read_text("utf-8")))


def plain(text):
    """A verdict without what differs from run to run."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for line in lines if not line.startswith("not read:")]
    text = "\n".join(kept).strip()
    text = re.sub(r"={20,}", "=" * 20, text)
    text = re.sub(r"\d+(\.\d+)? s\b", "T s", text)
    text = re.sub(r"\((\d+)\)", "(N)", text)
    text = re.sub(r"cancel [\d ]+\b", "cancel N", text)
    return re.sub(r"\bL\d+\b", "L", text)


def write(name, text):
    """Put a verdict into the page."""
    old = PAGE.read_text("utf-8")
    lines = [line for line in text.strip().splitlines() if not line.startswith("not read:")]
    body = re.sub(r"={20,}", "=" * 20, "\n".join(lines).rstrip())

    def put(found):
        if found[1] != name:
            return found[0]
        return f"<!-- verdict of {name} -->\n```text\n{body}\n```\n"

    PAGE.write_text(QUOTED.sub(put, old), "utf-8")
