"""Who may come in: the owner, root, and whoever has the token."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from asyncconsole.serve import peer
from asyncconsole.serve.journal import audit, note

Admission = Literal["welcome", "token", "refused"]

TRIES = 3
PENALTY = 1.0
"""Seconds after a wrong token in which no other one from there is looked at."""

_MOST_ORIGINS = 1024
_NEIGHBOURHOOD = 64
"""Bits of an IPv6 address that say whose it is; the others are free for its owner to choose."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A client that has connected.

    Attributes:
        name: For the audit log: its address and user.
        admission: ``welcome``, ``token`` (must give it) or ``refused``.
        reason: One line for a refused one.
        user: Of a welcome one, who the kernel says it is: ``uid 1000``; else "".
        origin: Its user or its machine, which all its connections have in common.
    """

    name: str
    admission: Admission
    reason: str = ""
    user: str = ""
    origin: str = ""


def visitor(sock: socket.socket, token: str | None, *, everybody: bool = False) -> Visitor:
    """Look at a new connection; quick, and before the client can go away.

    Args:
        sock: The connection.
        token: Lets in who is neither this user nor root.
        everybody: No token is needed, whoever it is.
    """
    if sock.family == getattr(socket, "AF_UNIX", None):
        uid = peer.unix_uid(sock)
        # Where the kernel doesn't tell, it is the 0700 directory that keeps others out.
        known = uid is None or _ours(uid)
        return _judged("unix socket", uid, token, known=known)
    try:
        host, port = sock.getpeername()[:2]
        address = peer.address(host)
    except (OSError, ValueError):
        return Visitor("a client that left", "refused", "Who are you?")
    uid = peer.tcp_uid(sock) if address.is_loopback else None
    known = everybody or (uid is not None and _ours(uid))
    return _judged(f"{host} port {port}", uid, token, known=known, machine=_machine(address))


def _ours(uid: int) -> bool:
    return uid in (0, os.geteuid())


def _machine(address: peer.Address) -> str:
    """What all connections from one machine have in common."""
    if address.version == 4:  # noqa: PLR2004 - IP version
        return str(address)
    return str(ipaddress.ip_network((address.packed, _NEIGHBOURHOOD), strict=False))


def _judged(
    place: str, uid: int | None, token: str | None, *, known: bool, machine: str = ""
) -> Visitor:
    who = "an unknown user" if uid is None or uid == peer.UNMAPPED else f"uid {uid}"
    name = f"{place} ({who})"
    origin = machine if uid is None else who
    if known:
        known_user = uid is not None and uid != peer.UNMAPPED
        return Visitor(name, "welcome", user=who if known_user else "", origin=origin)
    if token is not None:
        return Visitor(name, "token", origin=origin)
    reason = (
        f"This console belongs to uid {os.geteuid()}; you are {who}. "
        "Others need a token: asyncconsole.start(auth=...)."
    )
    return Visitor(name, "refused", reason, origin)


@dataclass(eq=False, slots=True)
class _Queue:
    """Guesses from one place, which are looked at one after the other.

    Attributes:
        until: Time of the loop before which none is looked at.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    until: float = 0.0


class Gate:
    """Compares tokens, and slows down whoever guesses.

    A guess is compared only after the penalty for the one before it, so that hanging up
    and coming again is no quicker than waiting; and whoever guesses delays nobody elsewhere.
    """

    def __init__(self, token: str | None) -> None:
        self.token = token
        self._right: Callable[[str], bool] = lambda _given: False
        if token is not None:
            # They bring OpenSSL along, and few want a token.
            from hashlib import sha256  # noqa: PLC0415
            from hmac import compare_digest  # noqa: PLC0415

            expected = sha256(token.encode("utf-8", "surrogateescape")).digest()

            def right(given: str) -> bool:
                # Hashed, so that the time tells nothing of the token's length either.
                said = sha256(given.encode("utf-8", "surrogateescape")).digest()
                return compare_digest(said, expected)

            self._right = right
        self._queues: dict[str, _Queue] = {}

    async def admits(self, visitor: Visitor, given: str | None) -> bool:
        """True for the right token; a wrong one costs a second."""
        if given is None:
            return False
        loop = asyncio.get_running_loop()
        queue = self._queue(visitor.origin, loop.time())
        async with queue.lock:
            await asyncio.sleep(max(0.0, queue.until - loop.time()))
            if self._right(given):
                note(audit, logging.INFO, "%s came in by token", visitor.name)
                return True
            queue.until = loop.time() + PENALTY
        note(audit, logging.WARNING, "%s gave a wrong token", visitor.name)
        return False

    def _queue(self, origin: str, now: float) -> _Queue:
        """Where guesses from there wait; when there are too many places, they share one."""
        if origin not in self._queues and len(self._queues) >= _MOST_ORIGINS:
            over = [
                name
                for name, queue in self._queues.items()
                if queue.until <= now and not queue.lock.locked()
            ]
            for name in over:
                del self._queues[name]
            if not over:
                origin = ""
        return self._queues.setdefault(origin, _Queue())
