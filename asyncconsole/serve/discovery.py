"""Where consoles leave word of themselves, and how to find them.

Every console writes ``<pid>.json`` beside its Unix socket into a directory of its
user; a record whose process is gone is swept away by whoever sees it.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from asyncconsole._version import __version__

RECORD_SCHEMA = "asyncconsole/console/1"
_LARGEST = 64 * 1024
_STARTTIME = 19
"""Index of the start time in /proc/PID/stat, counted after the name in brackets."""


@dataclass(frozen=True, slots=True)
class Record:
    """One console.

    Attributes:
        pid: Its process.
        started: When the process started, in the kernel's ticks since boot; 0 when
            unknown. Tells a process from a later one with the same pid.
        argv: Its command line.
        cwd: Its working directory when the console started.
        host: Address it listens on, or None.
        port: TCP port, or None.
        socket: Path of its Unix socket, or None.
        version: Of asyncconsole.
        at: When the console started, ISO 8601 UTC.
        tls: True when that port speaks TLS.
    """

    pid: int
    started: int
    argv: tuple[str, ...]
    cwd: str
    host: str | None
    port: int | None
    socket: str | None
    version: str
    at: str
    tls: bool = False


def describe(
    host: str | None, port: int | None, socket: str | None, *, tls: bool = False
) -> Record:
    """The record of this process's console.

    Args:
        host: As in `Record`.
        port: As in `Record`.
        socket: As in `Record`.
        tls: As in `Record`.
    """
    words = getattr(sys, "orig_argv", None) or getattr(sys, "argv", None) or [sys.executable]
    try:
        cwd = os.getcwd()  # noqa: PTH109 - a string is wanted
    except OSError:  # it was deleted
        cwd = ""
    return Record(
        pid=os.getpid(),
        started=started(os.getpid()),
        argv=tuple(str(word)[:500] for word in words[:50]),
        cwd=cwd,
        host=host,
        port=port,
        socket=socket,
        version=__version__,
        at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        tls=tls,
    )


def directories() -> list[Path]:
    """Where this user's consoles may be, the preferred place first."""
    found = []
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and Path(runtime).is_absolute() and Path(runtime).is_dir():
        found.append(Path(runtime) / "asyncconsole")
    temporary = next(
        (place for name in ("TMPDIR", "TEMP", "TMP") if (place := os.environ.get(name))),
        "/tmp",  # noqa: S108 - the directory in it is checked
    )
    found.append(Path(temporary).absolute() / f"asyncconsole-{os.geteuid()}")
    return found


def private(directory: Path) -> str | None:
    """Why ``directory`` can't be trusted; None when it is ours alone."""
    try:
        status = directory.lstat()
    except OSError as error:
        return f"{directory}: {error.strerror}"
    if not stat.S_ISDIR(status.st_mode):
        return f"{directory} is not a directory"
    if status.st_uid != os.geteuid():
        return f"{directory} belongs to uid {status.st_uid}"
    if stat.S_IMODE(status.st_mode) & 0o077:
        return f"{directory} is open to others (mode {stat.S_IMODE(status.st_mode):o})"
    return None


def prepare() -> Path:
    """The directory for our files, made if need be.

    Raises:
        OSError: There is none that can be trusted; says why.
    """
    trouble = ""
    for directory in directories():
        try:
            directory.mkdir(mode=0o700)
        except FileExistsError:
            pass
        except OSError as error:
            trouble = f"{directory}: {error.strerror}"
            continue
        reason = private(directory)
        if reason is None:
            return directory
        trouble = reason
    raise OSError(trouble)


def started(pid: int) -> int:
    """Start time of a process in ticks since boot; 0 when the kernel doesn't tell."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
        return int(text.rpartition(b")")[2].split()[_STARTTIME])
    except (OSError, ValueError, IndexError):
        return 0


def alive(record: Record) -> bool:
    """True while the record's very process runs."""
    try:
        os.kill(record.pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass  # somebody else's: it is there
    now = started(record.pid)
    return not (now and record.started and now != record.started)


def write(directory: Path, record: Record) -> Path:
    """Leave word; the file appears whole or not at all.

    Raises:
        OSError: It could not be written.
    """
    path = directory / f"{record.pid}.json"
    draft = directory / f".{record.pid}.json"
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    document = {"schema": RECORD_SCHEMA, **asdict(record)}
    with os.fdopen(os.open(draft, flags, 0o600), "w", encoding="ascii") as file:
        json.dump(document, file)
    draft.replace(path)
    return path


def records() -> list[Record]:
    """Live consoles of this user, lowest pid first; files of dead ones are removed."""
    found: dict[int, Record] = {}
    for directory in directories():
        if private(directory) is None:
            for path in _files(directory):
                record = _read(path)
                if record is None:
                    continue
                if alive(record):
                    found.setdefault(record.pid, record)
                else:
                    _sweep(path)
    return [found[pid] for pid in sorted(found)]


def _files(directory: Path) -> Iterator[Path]:
    try:
        names = sorted(os.listdir(directory))  # noqa: PTH208 - names, not paths
    except OSError:
        return
    for name in names:
        stem, _, suffix = name.rpartition(".")
        if suffix == "json" and stem.isdigit():
            yield directory / name


def _read(path: Path) -> Record | None:
    """A record, or None for a file that is none."""
    try:
        with path.open("rb") as file:
            said: Any = json.loads(file.read(_LARGEST))
        if not isinstance(said, dict) or said.get("schema") != RECORD_SCHEMA:
            return None
        if said["pid"] != int(path.stem):
            return None
        host, port, socket = said["host"], said["port"], said["socket"]
        return Record(
            pid=int(said["pid"]),
            started=int(said["started"]),
            argv=tuple(str(word) for word in said["argv"]),
            cwd=str(said["cwd"]),
            host=None if host is None else str(host),
            port=None if port is None else int(port),
            socket=None if socket is None else str(socket),
            version=str(said["version"]),
            at=str(said["at"]),
            tls=bool(said.get("tls")),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _sweep(path: Path) -> None:
    """Remove a dead console's record and socket."""
    for leftover in (path, path.with_suffix(".sock")):
        with contextlib.suppress(OSError):
            leftover.unlink()
