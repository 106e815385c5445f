"""Files that clients have written on the program's machine.

A disk may be full, or a network's folder stand still: a thread of its own writes, and the side
thread hands it the text, a little at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import threading
import zlib
from collections.abc import AsyncIterator

from asyncconsole.commands.port import Kept
from asyncconsole.model.errors import ConsoleError

AHEAD = 8
"""Pieces of text that wait for the disk."""

MOST_NAMES = 100
"""Names that are tried for a file in the folder for temporary ones."""

THREAD_NAME = "asyncconsole file"

GZIP = 31
"""`zlib`'s ``wbits`` for the format of gzip."""


class FileError(ConsoleError):
    """The file could not be written; nothing of it is left."""


async def keep(pieces: AsyncIterator[str], path: str | None, name: str) -> Kept:
    """Write text, compressed, into a new file that only its owner may read.

    Args:
        pieces: The text, ASCII.
        path: Where; None for ``name`` in the folder for temporary files.
        name: As above; a number is added if there is such a file.

    Raises:
        FileError: There is a file of that name, no place, or no right.
    """
    writer = _Writer(path, name)
    try:
        async with contextlib.aclosing(pieces):  # type: ignore[type-var]  # a generator
            async for piece in pieces:
                await writer.put(piece.encode("ascii"))
        return await writer.end()
    finally:
        writer.close()


class _Writer:
    """A thread that writes what it is handed."""

    def __init__(self, path: str | None, name: str) -> None:
        self._path, self._name = path, name
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._jobs: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._waiting = 0
        self._whole = self._closed = False
        self._kept: Kept | None = None
        self._error: Exception | None = None
        thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            msg = f"No thread could be had to write a file: {error}."
            raise FileError(msg) from None

    async def put(self, data: bytes) -> None:
        """Hand it some more, once it has room.

        Raises:
            FileError: It can't write.
        """
        while self._waiting >= AHEAD and self._error is None:
            await self._told()
        self._check()
        self._waiting += 1
        self._jobs.put(data)

    async def end(self) -> Kept:
        """Wait until all is written.

        Raises:
            FileError: It can't write.
        """
        self._whole = True
        self._jobs.put(None)
        while self._kept is None and self._error is None:
            await self._told()
        self._check()
        assert self._kept is not None
        return self._kept

    def close(self) -> None:
        """Let the thread end; what is not whole is removed."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    async def _told(self) -> None:
        self._news.clear()
        await self._news.wait()

    def _tell(self, done: int = 0) -> None:
        """On the side loop."""
        self._waiting -= done
        self._news.set()

    def _run(self) -> None:
        """In the thread."""
        try:
            self._kept = self._write()
        except FileError as error:
            self._error = error
        except OSError as error:
            self._error = FileError(f"{self._path or self._name}: {error.strerror or error}.")
        except Exception as error:
            self._error = FileError(f"{self._path or self._name}: {error}.")
        with contextlib.suppress(RuntimeError):  # the console has closed meanwhile
            self._loop.call_soon_threadsafe(self._tell)

    def _write(self) -> Kept:
        path, number = self._open()
        whole = False
        try:
            with open(number, "wb", buffering=0) as file:  # noqa: PTH123 - a descriptor
                packer = zlib.compressobj(wbits=GZIP)
                size = 0
                while (data := self._jobs.get()) is not None:
                    size += _put(file, packer.compress(data))
                    with contextlib.suppress(RuntimeError):
                        self._loop.call_soon_threadsafe(self._tell, 1)
                if self._whole:
                    size += _put(file, packer.flush())
                    whole = True
        finally:
            if not whole:
                with contextlib.suppress(OSError):
                    os.unlink(path)  # noqa: PTH108 - a string
        return Kept(path, size)

    def _open(self) -> tuple[str, int]:
        """A new file: its path and descriptor.

        Raises:
            FileError: There is one already.
            OSError: It can't be made.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
        for path in self._paths():
            try:
                return path, os.open(path, flags, 0o600)
            except FileExistsError:
                continue
        if self._path is None:
            msg = f"{_temporary()} is full of dumps; give another FILE."
        else:
            msg = f"{self._path} is there already, and stays as it is; give another FILE."
        raise FileError(msg)

    def _paths(self) -> list[str]:
        if self._path is not None:
            return [os.path.abspath(os.path.expanduser(self._path))]  # noqa: PTH100, PTH111 - strings
        stem, dot, suffix = self._name.partition(".")
        names = [f"{stem}{f'-{n}' if n else ''}{dot}{suffix}" for n in range(MOST_NAMES)]
        return [os.path.join(_temporary(), name) for name in names]  # noqa: PTH118 - strings


def _temporary() -> str:
    """The folder for temporary files; `tempfile` takes longer to load than all of this."""
    for name in ("TMPDIR", "TEMP", "TMP"):
        if found := os.environ.get(name):
            return os.path.abspath(found)  # noqa: PTH100 - a string
    return "/tmp"  # noqa: S108 - the file in it is new, and its owner's alone


def _put(file: object, data: bytes) -> int:
    """Write all of it; how much that was."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]  # type: ignore[attr-defined]  # a raw file
    return len(data)
