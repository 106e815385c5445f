"""Commands, readers and rules that installed libraries ship as entry points.

Looked for when the first client comes, or at the first self-check or `snapshot`, in a thread that
nobody waits long for: importing a library may take its time, or never end. A broken one is switched
off, logged once, and named by ``version``. An entry point that is called like a module which can be
imported is for that module: it is loaded once the program has imported it.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from asyncconsole.capture import libraries, readers
from asyncconsole.commands.command import Command
from asyncconsole.diagnose import rules
from asyncconsole.model import schema
from asyncconsole.own import adapter, registry, shipped
from asyncconsole.own.shipped import Extension, Kind
from asyncconsole.serve.journal import log, note
from asyncconsole.serve.loading import forget_half_imports

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

VARIABLE = "ASYNCCONSOLE_EXTENSIONS"
"""``off`` for none, or names of entry points or distributions, parted by commas."""

PATIENCE = 3.0
"""Seconds that clients wait for them."""

THREAD_NAME = "asyncconsole extensions"

_OFF = {"0", "off", "no", "none", "false"}
_PREFIX = "asyncconsole."
_KINDS: tuple[Kind, ...] = ("readers", "rules", "commands")

_waiting: list[tuple[Extension, EntryPoint]] = []
_current: list[Extension] = []
_searched = False
_thread: threading.Thread | None = None


def load() -> None:
    """Load what is to be loaded now; returns within `PATIENCE`. Not on the side thread."""
    thread = _begin()
    thread.join(PATIENCE)
    if thread.is_alive():
        _give_up()


def load_due() -> None:
    """As `load`, if anything is due; for those who look at the program without a console."""
    if not _searched or _some_due():
        load()


def _some_due() -> bool:
    """True when the program has imported what some wait for."""
    return any(extension.name in sys.modules for extension, _ in tuple(_waiting))


async def catch_up() -> None:
    """Load what the program's later imports make due; on the side thread, as `load`."""
    if not _some_due():
        return
    thread = _begin()
    end = time.monotonic() + PATIENCE
    while thread.is_alive():
        if time.monotonic() > end:
            _give_up()
            return
        await asyncio.sleep(0.005)


def forked() -> None:
    """In a forked child: the thread that was loading is not here."""
    global _thread  # noqa: PLW0603 - the child may begin anew
    if _thread is not None:
        forget_half_imports(_thread.ident)
    _thread = None
    _current.clear()


def _begin() -> threading.Thread:
    global _thread  # noqa: PLW0603 - one at a time
    if _thread is None or not _thread.is_alive():
        _thread = threading.Thread(target=_run, name=THREAD_NAME, daemon=True)
        _thread.start()
    return _thread


def _give_up() -> None:
    """Go on without what takes too long; it is taken in when it is through."""
    for extension in tuple(_current):
        if extension not in shipped.gaps:
            _switch_off(extension, f"still being imported after {PATIENCE:g} s")


def _run() -> None:
    global _searched  # noqa: PLW0603 - the search is done once
    try:
        if not _searched:
            _searched = True
            _waiting.extend(_found())
        for item in tuple(_waiting):
            if _is_due(item[0].name):
                _waiting.remove(item)
                _load(*item)
    except Exception as error:
        note(log, logging.WARNING, "entry points of libraries can't be read", exc_info=error)


def _is_due(name: str) -> bool:
    """False for what is called like a module that the program has not imported."""
    if name in sys.modules:
        return True
    root = name.partition(".")[0]
    try:
        return importlib.util.find_spec(root) is None
    except (ImportError, ValueError):
        return True


def _found() -> list[tuple[Extension, EntryPoint]]:
    """Entry points that are installed and wanted."""
    wanted = os.environ.get(VARIABLE, "").strip()
    if wanted.lower() in _OFF or not any(map(_has_some, sys.path)):
        return []
    only = {word.strip() for word in wanted.split(",") if word.strip()}
    from importlib.metadata import distributions  # noqa: PLC0415 - large, and most have no use for it

    found: dict[Extension, EntryPoint] = {}
    for distribution in distributions():
        for point in distribution.entry_points:
            if not point.group.startswith(_PREFIX):
                continue
            name = str(distribution.metadata["Name"])
            for kind in _KINDS:
                extension = Extension(kind, point.name, f"{name} {distribution.version}")
                if point.group == _PREFIX + kind and (not only or {name, point.name} & only):
                    found.setdefault(extension, point)
    return sorted(found.items(), key=lambda item: _KINDS.index(item[0].kind))


def _has_some(folder: str) -> bool:
    """Whether a folder of ``sys.path`` may have distributions that ship something."""
    try:
        names = os.listdir(folder or ".")  # noqa: PTH208 - one for each folder and distribution
    except NotADirectoryError:
        return True  # a zip file: importlib.metadata knows how to look into it
    except OSError:
        return False
    for name in names:
        if name.endswith((".dist-info", ".egg-info")):
            try:
                with open(os.path.join(folder, name, "entry_points.txt"), "rb") as file:  # noqa: PTH118, PTH123 - one for each distribution
                    if f"[{_PREFIX}".encode() in file.read():
                        return True
            except OSError:
                continue
    return False


def _load(extension: Extension, point: EntryPoint) -> None:
    """Load one; whatever goes wrong, the others are not the worse for it."""
    _current.append(extension)
    try:
        _TAKE[extension.kind](extension, point.load())
    except BaseException as error:  # SystemExit, too: it would end nothing but this thread
        _switch_off(extension, f"{type(error).__name__}: {error}"[:300])
    else:
        shipped.gaps.pop(extension, None)
        shipped.loaded.append(extension)
    finally:
        _current.remove(extension)


def _switch_off(extension: Extension, why: str) -> None:
    shipped.switch_off(extension, why)
    what = f"{extension.name} ({extension.kind}) of {extension.source}"
    note(log, logging.WARNING, "%s is switched off: %s", what, why)


def _take_commands(extension: Extension, thing: Any) -> None:
    """A module whose import has decorated functions, a function, or a `Command`."""
    if isinstance(thing, Command):
        adapter.register(thing)
    elif callable(thing):
        if all(own.function is not thing for own in registry.book.values()):
            registry.command(extension.name)(thing)
    elif not isinstance(thing, type(sys)):
        msg = f"{type(thing).__name__}: not a function, a Command or a module of such"
        raise TypeError(msg)


def _take_readers(_extension: Extension, thing: Any) -> None:
    """A `Reader`, or a module that binds one to ``READER``."""
    reader = getattr(thing, "READER", thing)
    if not isinstance(reader, readers.Reader):
        msg = f"a {type(reader).__name__} is no Reader"
        raise TypeError(msg)
    libraries.learn(reader)


def _take_rules(extension: Extension, thing: Any) -> None:
    """A rule, or a module that binds one to ``RULE``."""
    rule = getattr(thing, "RULE", thing)
    finding = schema.load("diagnosis")["properties"]["findings"]["items"]
    kinds = finding["properties"]["kind"]["enum"]
    if rule.kind not in kinds:
        msg = f"its kind is {rule.kind!r}, which the diagnosis does not know"
        raise ValueError(msg)

    def failed(error: Exception) -> None:
        _switch_off(extension, f"it raised {type(error).__name__}: {error}"[:300])

    rules.register(rule, failed)


_TAKE: dict[Kind, Callable[[Extension, Any], None]] = {
    "commands": _take_commands,
    "readers": _take_readers,
    "rules": _take_rules,
}
