"""Sockets and pipes that a loop's selector waits for, seen without touching the loop."""

from __future__ import annotations

import select
import selectors
from itertools import islice
from typing import Any

from asyncconsole.capture import pending
from asyncconsole.capture.objects import attribute

MOST = 256
"""Of one loop, when it is asked which are ready."""


def files(loop: Any) -> int | None:
    """Sockets and pipes a loop waits for, without its own; None when it doesn't tell."""
    keys = _keys(loop)
    # One is the pipe by which other threads wake it.
    return None if keys is None else max(0, len(keys) - 1)


def ready(loop: Any) -> list[Any]:
    """Callbacks of those that can be read or written now.

    Args:
        loop: Any loop; one that doesn't show its files has none here.

    Returns:
        The callbacks of ``add_reader`` and ``add_writer``, asyncio's own among them.

    Raises:
        Exception: Whatever comes of it when they change while they are read.
    """
    keys = _keys(loop)
    if not keys or not hasattr(select, "poll"):  # Windows
        return []
    poll = select.poll()
    handles: dict[int, Any] = {}
    for key in islice(list(keys.values()), MOST):
        if type(key) is selectors.SelectorKey and type(key.data) is tuple:
            mask = select.POLLIN * bool(key.events & selectors.EVENT_READ)
            mask |= select.POLLOUT * bool(key.events & selectors.EVENT_WRITE)
            poll.register(key.fd, mask)
            handles[key.fd] = key.data
    found = []
    for number, seen in poll.poll(0):
        if seen & select.POLLNVAL:
            continue  # closed meanwhile
        reader, writer = handles[number]
        # An error or a hang-up is for both, as for the loop.
        if reader is not None and seen & ~select.POLLOUT:
            found.append(pending.callback(reader)[0])
        if writer is not None and seen & ~select.POLLIN:
            found.append(pending.callback(writer)[0])
    return found


def _keys(loop: Any) -> dict[Any, Any] | None:
    keys = attribute(attribute(loop, "_selector"), "_fd_to_key")
    return keys if type(keys) is dict else None
