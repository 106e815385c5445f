"""A console inside a running asyncio program.

>>> import asyncconsole
>>> console = asyncconsole.start()

Importing this module loads nothing else; each name loads with its first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncconsole._version import __version__

if TYPE_CHECKING:
    from asyncconsole.capture.names import name
    from asyncconsole.model import Diagnosis, Snapshot
    from asyncconsole.serve.console import Console, start
    from asyncconsole.serve.look import diagnose, snapshot

__all__ = [
    "Console",
    "Diagnosis",
    "Snapshot",
    "__version__",
    "diagnose",
    "name",
    "snapshot",
    "start",
]

_HOMES = {
    "Console": "asyncconsole.serve.console",
    "Diagnosis": "asyncconsole.model",
    "Snapshot": "asyncconsole.model",
    "diagnose": "asyncconsole.serve.look",
    "name": "asyncconsole.capture.names",
    "snapshot": "asyncconsole.serve.look",
    "start": "asyncconsole.serve.console",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module  # noqa: PLC0415 - only when a name is used

    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
