"""A moment as text. Not with ``datetime``, which takes longer to load than a console to start."""

from __future__ import annotations

import time


def stamp(seconds: float) -> str:
    """A Unix time as ISO 8601 in UTC, to the millisecond."""
    whole, rest = divmod(round(seconds * 1e6) // 1000, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{rest:03d}Z"


def bare(moment: str) -> str:
    """``20260101T000000Z`` of ``2026-01-01T00:00:00.123Z``: for the names of files."""
    whole = moment.partition(".")[0].rstrip("Z")
    return f"{whole.replace('-', '').replace(':', '')}Z"
