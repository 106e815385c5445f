"""Whose code a file is."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from asyncconsole.capture.code import is_own

PACKAGE = Path(is_own.__wrapped__.__code__.co_filename).parent.parent


@pytest.mark.parametrize(
    "filename",
    [
        __file__,
        "<stdin>",
        "<string>",
        "bank.py",
        "/srv/app/bank.py",
        "/srv/my-site-packages/bank.py",
        f"{Path(os.__file__).parent}-of-mine/bank.py",
        str(PACKAGE / "demo_apps" / "bank.py"),
    ],
)
def test_own(filename):
    assert is_own(filename)


@pytest.mark.parametrize(
    "filename",
    [
        asyncio.events.__file__,
        json.__file__,
        pytest.__file__,
        "<frozen importlib._bootstrap>",
        f"/usr/lib/python{sys.version_info[0]}/dist-packages/six.py",
        str(PACKAGE / "capture" / "code.py"),
    ],
)
def test_not_own(filename):
    assert not is_own(filename)
