"""Lines typed in earlier sessions."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory


class StoredHistory(FileHistory):
    """A file of lines; that it can't be read or written is no reason to end a session."""

    def load_history_strings(self) -> Iterable[str]:
        """Earlier lines, newest first; none when the file can't be read."""
        try:
            return list(super().load_history_strings())
        except (OSError, ValueError):
            return []

    def store_string(self, string: str) -> None:
        """Keep a line, if that is possible."""
        with suppress(OSError):
            super().store_string(string)


def folder() -> Path:
    """Where state of this user's programs belongs."""
    found = os.environ.get("XDG_STATE_HOME") or os.environ.get("LOCALAPPDATA")
    return Path(found) if found else Path.home() / ".local" / "state"


def open_history() -> History:
    """The history of commands; one that forgets when there is no place for it."""
    try:
        path = folder() / "asyncconsole" / "history"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
    except (OSError, RuntimeError):  # RuntimeError: no home directory
        return InMemoryHistory()
    return StoredHistory(str(path))
