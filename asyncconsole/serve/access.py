"""Who may come in: the owner, root, and whoever has the token."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from asyncconsole.serve import peer
from asyncconsole.serve.journal import audit, note

Admission = Literal["welcome", "token", "refused"]

TRIES = 3
PENALTY = 1.0
"""Seconds after a wrong token, for all clients together."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A client that has connected.

    Attributes:
        name: For the audit log: its address and user.
        admission: ``welcome``, ``token`` (must give it) or ``refused``.
        reason: One line for a refused one.
        user: Of a welcome one, who the kernel says it is: ``uid 1000``; else "".
    """

    name: str
    admission: Admission
    reason: str = ""
    user: str = ""


def visitor(sock: socket.socket, token: str | None) -> Visitor:
    """Look at a new connection; quick, and before the client can go away."""
    if sock.family == getattr(socket, "AF_UNIX", None):
        uid = peer.unix_uid(sock)
        # Where the kernel doesn't tell, it is the 0700 directory that keeps others out.
        known = uid is None or _ours(uid)
        return _judged("unix socket", uid, token, known=known)
    try:
        host, port = sock.getpeername()[:2]
        loopback = peer.address(host).is_loopback
    except (OSError, ValueError):
        return Visitor("a client that left", "refused", "Who are you?")
    uid = peer.tcp_uid(sock) if loopback else None
    return _judged(f"{host} port {port}", uid, token, known=uid is not None and _ours(uid))


def _ours(uid: int) -> bool:
    return uid in (0, os.geteuid())


def _judged(place: str, uid: int | None, token: str | None, *, known: bool) -> Visitor:
    who = "an unknown user" if uid is None else f"uid {uid}"
    name = f"{place} ({who})"
    if known:
        return Visitor(name, "welcome", user=who)
    if token is not None:
        return Visitor(name, "token")
    reason = (
        f"This console belongs to uid {os.geteuid()}; you are {who}. "
        "Others need a token: asyncconsole.start(auth=...)."
    )
    return Visitor(name, "refused", reason)


class Gate:
    """Compares tokens, and slows down whoever guesses."""

    def __init__(self, token: str | None) -> None:
        self.token = token
        self._same: Callable[[bytes, bytes], bool] | None = None
        if token is not None:
            # It brings OpenSSL along, and few want a token.
            from hmac import compare_digest  # noqa: PLC0415

            self._same = compare_digest
        self._penalty = asyncio.Lock()

    async def admits(self, visitor: Visitor, given: str | None) -> bool:
        """True for the right token; a wrong one costs everybody who guesses a second."""
        expected = (self.token or "").encode()
        said = (given or "").encode("utf-8", "replace")
        if expected and self._same is not None and self._same(said, expected):
            note(audit, logging.INFO, "%s came in by token", visitor.name)
            return True
        note(audit, logging.WARNING, "%s gave a wrong token", visitor.name)
        async with self._penalty:
            await asyncio.sleep(PENALTY)
        return False
