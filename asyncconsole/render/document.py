"""Results as one JSON document."""

from __future__ import annotations

import json

from asyncconsole.model import Result


def document(result: Result) -> str:
    """The document on one line, ASCII only, so that any terminal and pipe can carry it."""
    return json.dumps(result.told(), default=str, allow_nan=False) + "\n"
