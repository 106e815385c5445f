"""The interpreters that tests run programs on, and the ones that are absent.

``make interpreters`` sets them up under ``.pythons/``; the one that runs pytest is always there.
Use ``@pytest.mark.parametrize("python", INTERPRETERS)``: each is a path to start a program with,
and the package, prompt_toolkit and (where wheels exist) uvloop and aiohttp can be imported in it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
PYTHONS = CHECKOUT / ".pythons"
VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14", "3.15")
OWN = f"{sys.version_info[0]}.{sys.version_info[1]}"


def present() -> dict[str, str]:
    """Version to path of every interpreter that is set up."""
    found = {}
    for version in VERSIONS:
        python = PYTHONS / f"venv-{version}" / "bin" / "python"
        if python.exists():
            found[version] = str(python)
        elif version == OWN:
            found[version] = sys.executable
    return found


def absent() -> dict[str, str]:
    """Version to reason of every interpreter that is not."""
    have = present()
    reasons = {}
    for version in VERSIONS:
        if version not in have:
            note = PYTHONS / f"absent-{version}"
            reasons[version] = (
                note.read_text().strip().removeprefix("absent: ")
                if note.exists()
                else "not set up (run `make interpreters`)"
            )
    return reasons


INTERPRETERS = [pytest.param(path, id=version) for version, path in present().items()]


def runs(*kinds: str) -> list[Any]:
    """Every interpreter with every kind of loop; `tests.share` says which of it a run takes.

    Args:
        kinds: ``asyncio``, ``debug``, ``uvloop``, ``eager``; the last is left out where there
            are no eager tasks, before 3.12.

    Returns:
        Parameters ``python`` and ``kind``.
    """
    return [
        pytest.param(*parameter.values, kind, id=f"{parameter.id}-{kind}")
        for parameter in INTERPRETERS
        for kind in kinds
        if kind != "eager" or parameter.id not in {"3.10", "3.11"}
    ]
