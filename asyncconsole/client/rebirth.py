"""A program that has ended, and its next start."""

from __future__ import annotations

import os
import socket
import time

from asyncconsole.client import consoles
from asyncconsole.client.address import Address

PAUSE = 0.2
"""Seconds between two looks."""

HANDSHAKE = 1.0
"""Seconds for a port to take a connection."""


class Life:
    """What a program is recognised by: its command line and folder, or else its address.

    Args:
        address: Where its console is now.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._record = consoles.record_of(address)

    def next(self) -> Address:
        """Wait for its next start, for as long as it takes.

        Returns:
            Where its console is then.
        """
        while True:
            found = self._found()
            if found is not None:
                return found
            time.sleep(PAUSE)

    def _found(self) -> Address | None:
        """The console of its next life, if that has begun."""
        last = self._record
        if last is None:  # on another machine, or another user's
            return self._address if _listens(self._address) else None
        for record in reversed(consoles.live()):
            same = (record.argv, record.cwd) == (last.argv, last.cwd)
            # The time is in whole seconds; a program that replaces itself keeps its pid.
            other = (record.pid, record.at) != (last.pid, last.at)
            if same and other and record.at >= last.at:
                self._record = record
                return consoles.address_of(record)
        return None


def _listens(address: Address) -> bool:
    if address.path:
        return os.path.exists(address.path)  # noqa: PTH110 - a question, not a path to work with
    try:
        socket.create_connection((address.host, address.port), HANDSHAKE).close()
    except OSError:
        return False
    return True
