"""The change fragments: well named, not empty, and towncrier can collect them."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.interpreters import CHECKOUT

NAME = re.compile(r"(\d+|\+[a-z0-9-]+)\.(added|changed|fixed)(\.\d+)?\.md")


def test_every_fragment_has_a_name_towncrier_knows_and_says_something():
    fragments = [path for path in (CHECKOUT / "changes").iterdir() if path.name != "README.md"]
    for fragment in fragments:
        assert NAME.fullmatch(fragment.name), f"changes/{fragment.name}: see changes/README.md"
        assert fragment.read_text("utf-8").strip(), f"changes/{fragment.name} is empty"


def test_towncrier_collects_them():
    done = subprocess.run(
        [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "0.0"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for fragment in (CHECKOUT / "changes").glob("*.md"):
        if fragment.name != "README.md":
            words = fragment.read_text("utf-8").split()[:4]
            assert " ".join(words) in " ".join(done.stdout.split())
