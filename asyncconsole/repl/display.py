"""Values and tracebacks as text, made from objects that can't be trusted."""

from __future__ import annotations

import collections
import itertools
import os
import reprlib
import traceback
from typing import Any

from asyncconsole.repl.window import Interrupted

LONGEST = 64 * 1024
"""Most characters shown of one value or one traceback."""

MOST = 10_000
"""Items of a container from which on only the first ones are shown."""

_HERE = os.path.dirname(__file__) + os.sep  # noqa: PTH120 - pathlib would be one more import
_NAMES = os.path.join(os.path.dirname(os.path.dirname(__file__)), "serve", "namespace.py")  # noqa: PTH118, PTH120 - as above
_OWN = os.path.join(os.path.dirname(os.path.dirname(__file__)), "own") + os.sep  # noqa: PTH118, PTH120 - as above

_CONTAINERS = (list, tuple, dict, set, frozenset, collections.deque, str, bytes, bytearray)


def show(value: Any) -> str:
    """``repr(value)``, cut where nobody reads on.

    Raises:
        Interrupted: Ctrl-C, because the repr takes too long.
    """
    try:
        kind = type(value)
        if kind in _CONTAINERS and len(value) > MOST:
            return f"{_beginning(value)}  # {len(value):,} items"
        return _cut(repr(value))
    except Interrupted:
        raise
    except BaseException as error:
        return f"<{_kind(value)} object at {id(value):#x}, whose repr raised {brief(error)}>"


def _beginning(value: Any) -> str:
    """The first items of a built-in container."""
    if isinstance(value, str | bytes | bytearray):
        return repr(value[:1000]) + "..."
    short = reprlib.Repr()
    short.maxother = short.maxstring = short.maxlong = 200
    if isinstance(value, dict):
        items: Any = dict(itertools.islice(value.items(), 50))
    else:
        items = list(itertools.islice(value, 50))
    short.maxdict = short.maxlist = 50
    return f"{type(value).__name__}, begins with {short.repr(items)}"


def _kind(value: Any) -> str:
    return str(type.__dict__["__name__"].__get__(type(value)))


def brief(error: BaseException) -> str:
    """An exception in one line."""
    try:
        return _cut(repr(error), 300)
    except Interrupted:
        raise
    except BaseException:
        return _kind(error)


def _cut(text: str, most: int = LONGEST) -> str:
    """``text``, or its beginning and its end with the gap told."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half:,} characters left out ...]\n{text[-half:]}"


def explain(error: BaseException) -> str:
    """The traceback of ``error`` as Python shows it, without this package's own frames."""
    try:
        trace = traceback.TracebackException.from_exception(error)
        _forget_us(trace, set())
        return _cut("".join(trace.format()))
    except Interrupted:
        raise
    except BaseException as broken:
        return f"{_kind(error)} (its traceback can't be shown: {brief(broken)})\n"


def explain_syntax(error: BaseException) -> str:
    """The lines for text that can't be compiled."""
    try:
        return _cut("".join(traceback.format_exception_only(type(error), error)))
    except Exception:
        return f"{_kind(error)}\n"


def ours(file: str) -> bool:
    """Whether that file only runs code for others; tracebacks leave it out."""
    return file.startswith((_HERE, _OWN, _NAMES))


def _forget_us(trace: traceback.TracebackException, seen: set[int]) -> None:
    """Take our frames out of a traceback and of those it comes from."""
    waiting = [trace]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        one.stack[:] = [frame for frame in one.stack if not ours(frame.filename)]
        waiting += [more for more in (one.__cause__, one.__context__) if more is not None]
        waiting += getattr(one, "exceptions", None) or []
