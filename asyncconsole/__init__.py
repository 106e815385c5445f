"""A console inside a running asyncio program.

>>> import asyncconsole
>>> console = asyncconsole.start()

Importing this module loads nothing else; each name loads with its first use.
"""

from __future__ import annotations

import sys
import types

from asyncconsole._version import __version__

# Not from typing, which takes longer to import than all of this; type checkers know the name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from asyncconsole.capture.names import name
    from asyncconsole.model import Diagnosis, Snapshot, Stall
    from asyncconsole.own.registry import command
    from asyncconsole.serve.console import Console
    from asyncconsole.serve.dump import dump
    from asyncconsole.serve.look import diagnose, snapshot
    from asyncconsole.serve.stall_probe import StallProbe
    from asyncconsole.serve.starting import start

__all__ = [
    "Console",
    "Diagnosis",
    "Snapshot",
    "Stall",
    "StallProbe",
    "__version__",
    "command",
    "diagnose",
    "dump",
    "name",
    "snapshot",
    "start",
]

_HOMES = {
    "Console": "asyncconsole.serve.console",
    "Diagnosis": "asyncconsole.model",
    "Snapshot": "asyncconsole.model",
    "Stall": "asyncconsole.model",
    "StallProbe": "asyncconsole.serve.stall_probe",
    "command": "asyncconsole.own.registry",
    "diagnose": "asyncconsole.serve.look",
    "dump": "asyncconsole.serve.dump",
    "name": "asyncconsole.capture.names",
    "snapshot": "asyncconsole.serve.look",
    "start": "asyncconsole.serve.starting",
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


class _Package(types.ModuleType):
    """This package, in which `diagnose` stays the function.

    Importing the folder of that name would bind the module here; it is still found as
    ``asyncconsole.diagnose`` in ``sys.modules``, where import statements look.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _HOMES or not isinstance(value, types.ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
