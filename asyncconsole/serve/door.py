"""A listening socket and who came through it."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncconsole.serve import access

if TYPE_CHECKING:
    import ssl

    from asyncconsole.serve.plain import PlainTerminal  # noqa: TC004 - an annotation is never evaluated here

CONNECTIONS = 64
"""At most so many clients at each door (TCP, Unix socket)."""


@dataclass(eq=False, slots=True)
class Connection:
    """One client.

    Attributes:
        sock: Its socket.
        visitor: Who it is.
        said: True once it has sent anything.
        admitted: True once it may come in.
        task: Serves it.
        writer: The way to it, once open.
        plain: Its plain terminal, when it has one.
    """

    sock: socket.socket
    visitor: access.Visitor
    said: bool = False
    admitted: bool = False
    task: asyncio.Task[None] | None = None
    writer: asyncio.StreamWriter | None = None
    plain: PlainTerminal | None = None

    @property
    def idle(self) -> bool:
        """True while it has no right to be here or says nothing: it makes room for others."""
        heard = self.said or (self.plain is not None and self.plain.heard)
        return not (self.admitted and heard)


class Door:
    """One listening socket and the clients that came through it.

    Args:
        sock: Listens.
        tls: What its clients must speak; None for none.
        everybody: Whoever comes through it may come in.
    """

    def __init__(
        self, sock: socket.socket, tls: ssl.SSLContext | None, *, everybody: bool = False
    ) -> None:
        self.sock = sock
        self.tls = tls
        self.everybody = everybody
        self.clients: dict[Connection, None] = {}  # in order of arrival

    def make_room(self) -> bool:
        """True when one more may come in; a full house shows an idle one out.

        It is the longest idle one of those who have the most of them, so that whoever
        fills the house from one place pushes out none but its own.
        """
        if len(self.clients) < CONNECTIONS:
            return True
        idle = [each for each in self.clients if each.idle and each.task is not None]
        if not idle:
            return False
        (crowd, _count) = Counter(each.visitor.origin for each in idle).most_common(1)[0]
        leaving = next(each for each in idle if each.visitor.origin == crowd)
        if leaving.task is not None:
            leaving.task.cancel()
        del self.clients[leaving]
        return True
