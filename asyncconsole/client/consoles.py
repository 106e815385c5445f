"""Which console is meant."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from asyncconsole.client.address import HIGHEST_PORT, Address, Trust, parse
from asyncconsole.model.errors import TargetMissingError

if TYPE_CHECKING:
    from asyncconsole.serve.discovery import Record

ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - compared, not bound
"""Where to reach a console that listens everywhere."""

LOOPBACK = {"127.0.0.1", "::1", "localhost"}

NAMED = 8
"""How many consoles a message lists."""


def live() -> Sequence[Record]:
    """Records of this user's live consoles, oldest first."""
    from asyncconsole.serve import discovery  # noqa: PLC0415 - HOST:PORT needs none of it

    return sorted(discovery.records(), key=lambda record: (record.at, record.pid))


def address_of(record: Record) -> Address:
    """Where a recorded console is reached; its Unix socket rather than TCP."""
    if record.socket:
        return Address(path=record.socket, pid=record.pid)
    host = record.host or ""
    return Address(
        host=ANY.get(host, host),
        port=record.port or 0,
        pid=record.pid,
        trust=Trust() if record.tls else None,
    )


def command_line(record: Record) -> str:
    """What runs there, as it could be typed."""
    return shlex.join(record.argv)


def program(record: Record) -> str:
    """What runs there, in a word (``bank.py``): the script or module, not the interpreter."""
    words = record.argv
    for index, word in enumerate(words):
        if word.endswith((".py", ".pyz")):
            return PurePath(word).name
        if index and words[index - 1] == "-m" and word != "asyncconsole":
            return word
    return PurePath(words[0]).name if words else "?"


def record_of(address: Address) -> Record | None:
    """What the console at that address has left word of; None when it is not of this machine."""
    for record in live():
        if address.path:
            same = record.socket is not None and _real(record.socket) == _real(address.path)
        else:
            host = ANY.get(record.host or "", record.host)
            here = host == address.host or (host in LOOPBACK and address.host in LOOPBACK)
            same = here and record.port == address.port
        if same:
            return record
    return None


def process(address: Address) -> int | None:
    """The process behind an address; None when nobody knows."""
    if address.pid is not None:
        return address.pid
    record = record_of(address)
    return None if record is None else record.pid


def who(address: Address) -> str:
    """The program behind an address, as it would introduce itself: ``bank.py (pid 4242)``."""
    record = record_of(address)
    return address.what if record is None else f"{program(record)} (pid {record.pid})"


def ended(record: Record) -> bool:
    """True when the process of a record is gone, or only waits to be buried."""
    from asyncconsole.client.outside import reading  # noqa: PLC0415 - as `live`
    from asyncconsole.serve import discovery  # noqa: PLC0415 - as `live`

    now = reading.read(record.pid)
    buried = now is None or now.main is None or now.main.state in "ZX"
    return buried or not discovery.alive(record)


def _real(path: str) -> str:
    return os.path.realpath(path)


def find(target: str | None) -> Address:
    """The console that ``target`` means; the only live one when that is None.

    Raises:
        UsageError: ``target`` can't be understood.
        TargetMissingError: There is none, or one has to be named.
    """
    if target is not None:
        place = parse(target)
        return place if isinstance(place, Address) else _of_process(place)
    records = live()
    if not records:
        msg = "no live console. Start a program with one: `asyncconsole run app.py`."
        raise TargetMissingError(msg)
    if len(records) == 1:
        return address_of(records[0])
    if sys.stdin.isatty() and sys.stderr.isatty():
        return address_of(_choose(records))
    msg = f"{len(records)} live consoles: {_list(records)}. Name one by its pid."
    raise TargetMissingError(msg)


def _of_process(pid: int) -> Address:
    records = live()
    for record in records:
        if record.pid == pid:
            return address_of(record)
    others = f"There is: {_list(records)}." if records else "No other process has one either."
    port = f" (A port is written :{pid}.)" if pid <= HIGHEST_PORT else ""
    msg = f"process {pid} has no console. {others}{port}"
    raise TargetMissingError(msg)


def _list(records: Sequence[Record]) -> str:
    named = [f"{record.pid} ({program(record)})" for record in records[:NAMED]]
    if len(records) > NAMED:
        named.append("...")
    return ", ".join(named)


def _choose(records: Sequence[Record]) -> Record:
    """Ask the person, on stderr: stdout belongs to the answer."""
    for record in records:
        sys.stderr.write(f"{record.pid:>8}  {command_line(record)}\n")
    known = {str(record.pid): record for record in records}
    while True:
        sys.stderr.write("pid: ")
        sys.stderr.flush()
        answer = sys.stdin.readline()
        if not answer:
            msg = "no console chosen."
            raise TargetMissingError(msg)
        if answer.strip() in known:
            return known[answer.strip()]
