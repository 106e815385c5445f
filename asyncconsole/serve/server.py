"""Connections: accepted, counted, and handed to the reception, which loads with the first."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from asyncconsole.serve import access, loading, sniff
from asyncconsole.serve.door import Connection, Door
from asyncconsole.serve.journal import log, note

if TYPE_CHECKING:
    from asyncconsole.commands.port import Target
    from asyncconsole.serve.reception import Reception
    from asyncconsole.serve.rules import Rules

_ACCEPTS = 16
_RETRY = 0.5
_ENDING = 1.5


class Server:
    """Serves a target at its doors, on the running loop."""

    def __init__(
        self, target: Target, doors: Sequence[Door], rules: Rules, token: str | None
    ) -> None:
        self.doors = doors
        self._target = target
        self._rules = rules
        self._gate = access.Gate(token)
        self._reception: Reception | None = None
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._resting: dict[Door, asyncio.TimerHandle] = {}
        for door in doors:
            self._loop.add_reader(door.sock, self._accept, door)

    async def close(self) -> None:
        """Hang up on everybody and stop listening; bounded."""
        self._closing = True
        for timer in self._resting.values():
            timer.cancel()
        for door in self.doors:
            self._loop.remove_reader(door.sock)
            door.sock.close()
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_ENDING)

    def abandon(self) -> None:
        """In a forked child: close its copies of our sockets, and nothing else.

        The loop's selector is shared with the parent, so nothing may be unregistered.
        """
        for door in self.doors:
            door.sock.close()
            for client in door.clients:
                client.sock.close()
                if client.writer is not None:
                    # A transport that has no socket says nothing when it is collected.
                    with contextlib.suppress(AttributeError):
                        client.writer.transport._sock = None  # type: ignore[attr-defined]  # noqa: SLF001 - see above
        for task in self._tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined] # noqa: SLF001 - it can't end here

    def _accept(self, door: Door) -> None:
        for _ in range(_ACCEPTS):
            try:
                sock, _address = door.sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._rest(door, error)
                return
            try:
                self._admit(door, sock)
            except OSError as error:
                sock.close()
                self._rest(door, error)
                return
            except Exception as error:
                sock.close()
                note(log, logging.ERROR, "a client could not be served", exc_info=error)

    def _rest(self, door: Door, error: OSError) -> None:
        """No descriptor to be had: the program needs them more; try again later."""
        note(log, logging.WARNING, "the console can't accept a client: %s", error)
        self._loop.remove_reader(door.sock)

        def again() -> None:
            self._resting.pop(door, None)
            if not self._closing:
                self._loop.add_reader(door.sock, self._accept, door)

        self._resting[door] = self._loop.call_later(_RETRY, again)

    def _admit(self, door: Door, sock: socket.socket) -> None:
        if not door.make_room():
            with contextlib.suppress(OSError):
                sock.send(b"Too many clients; try again when one has left.\n")
            sock.close()
            return
        sock.setblocking(False)
        with contextlib.suppress(OSError, AttributeError):  # not every system has them all
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if sock.family != getattr(socket, "AF_UNIX", None):
                # asyncio does it only for sockets that were made with TCP's protocol number;
                # without it the end of an answer waits 40 ms for a delayed acknowledgement.
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                # A machine that has gone without a word is found out in two minutes, not hours.
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)
        who = access.visitor(sock, self._gate.token, everybody=door.everybody)
        client = Connection(sock, who)
        client.admitted = client.visitor.admission == "welcome"
        door.clients[client] = None
        task = client.task = self._loop.create_task(self._serve(door, client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, door: Door, client: Connection) -> None:
        try:
            if self._reception is None:
                module = await loading.load(loading.RECEPTION)
                self._reception = self._reception or module.Reception(
                    self._target, self._rules, self._gate
                )
            await self._reception.serve(client, door.tls, lambda: self._closing)
        except loading.StuckImportError as stuck:
            self._say(door, client, str(stuck))
        except Exception as error:
            note(log, logging.ERROR, "a session failed", exc_info=error)
        finally:
            door.clients.pop(client, None)
            if client.writer is None:
                client.sock.close()

    def _say(self, door: Door, client: Connection, line: str) -> None:
        """A last line for a client that can't be served, if it may come in at all."""
        if client.visitor.admission != "welcome" or door.tls is not None:
            return
        said = b""
        with contextlib.suppress(OSError):
            said = client.sock.recv(1 << 16)  # unread, it would reset the connection
        if said.startswith(sniff.WIRE):
            answer = json.dumps({"refused": line}).encode() + b"\n"
        else:
            answer = line.encode() + b"\r\n"
        with contextlib.suppress(OSError):
            client.sock.send(answer)
