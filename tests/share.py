"""Which part of the matrix of versions and loops a run of the whole suite takes.

Tests are written for every version of CPython and for every kind of loop. All of it takes hours on
two cores; a run of the suite takes, of each file, one version for each kind: other files other
ones, so that every version and every kind is met all over the suite. What reads the private
attributes of a version takes all versions. `EVERY` in the environment, or naming files or
tests, takes everything.
"""

from __future__ import annotations

import os
import re
from zlib import crc32

import pytest

EVERY = "ASYNCCONSOLE_EVERY"

WHOLE = ("tests/capture/", "tests/track/", "tests/act/", "tests/stall/test_call.py")
"""On every version with asyncio's loop: what touches private attributes."""

_VERSION = re.compile(r"(?<=[\[-])3\.1\d(?=[]-])")
_KIND = re.compile(r"(?<=-)(uvloop|debug|eager|python|subclass)(?=[]-])")


def whole(config: pytest.Config) -> bool:
    """True when the suite was asked for, and no part of it."""
    return config.args_source is config.ArgsSource.TESTPATHS and not config.option.keyword


def chosen(items: list[pytest.Item]) -> list[bool]:
    """Of each test, whether it belongs to a run of the suite."""
    groups: dict[tuple[str, str], set[str]] = {}
    for item in items:
        if found := _place(item.nodeid):
            groups.setdefault(found[:2], set()).add(found[2])
    kept = {key: _some(key, versions) for key, versions in groups.items()}
    places = [_place(item.nodeid) for item in items]
    return [place is None or place[2] in kept[place[:2]] for place in places]


def _place(nodeid: str) -> tuple[str, str, str] | None:
    """File, kind of loop and version; None for a test that is for no version."""
    version, kind = _VERSION.search(nodeid), _KIND.search(nodeid)
    if version is None or EVERY in os.environ:
        return None
    return nodeid.partition("::")[0], kind[0] if kind else "asyncio", version[0]


def _some(key: tuple[str, str], versions: set[str]) -> set[str]:
    """All where that is due, else one, which the file and the kind decide."""
    file, kind = key
    if kind == "asyncio" and file.startswith(WHOLE):
        return versions
    among = sorted(versions)
    return {among[crc32(f"{file} {kind}".encode()) % len(among)]}
