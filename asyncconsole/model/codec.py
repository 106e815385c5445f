"""The nouns as JSON values, and back: by the types of their fields.

What equals a field's default is left out, keys that nobody knows are passed over: so a field may
be added without a new version. Nothing but the classes of the model is ever made of a value.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Collection
from functools import cache
from math import isfinite
from typing import Any, Literal, TypeVar

from asyncconsole.model.quick import maker

T = TypeVar("T")
Read = Callable[[Any], Any]
Plan = tuple[tuple[str, Any], ...]

_PLAIN = frozenset({str, int, bool, type(None)})

_ODD = {word: float(word) for word in ("inf", "-inf", "nan")}
"""JSON has no such numbers; they become ``{"number": "inf"}``, which is no text."""

_SHARED = frozenset({"coro", "file", "function", "how", "kind", "name", "type", "role"})
"""Fields of which many records have the same text; it is kept once."""

_MOST_SHARED = 20_000


class FormError(ValueError):
    """A value is not what the model says; the message is a few words."""


def encode(value: Any, without: Collection[str] = ()) -> Any:
    """A value of the model as what `json.dumps` takes.

    Args:
        value: What to encode.
        without: Fields of it that are left out.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is tuple or kind is list:
        return [encode(item) for item in value]
    if isinstance(value, float):
        plain = float.__float__(value)
        return plain if isfinite(plain) else {"number": str(plain)}
    plan: Plan | None = _plan(kind)  # type: ignore[arg-type]  # mypy: a class is no Hashable
    if plan is None:
        return _bare(value)
    found = {}
    for name, default in plan:
        item = getattr(value, name)
        if item is not default and item != default and name not in without:
            found[name] = item if type(item) in _PLAIN else encode(item)
    return found


@cache
def _plan(kind: type) -> Plan | None:
    """The fields of a class with their defaults; None for what has no fields."""
    if dataclasses.is_dataclass(kind):
        return tuple((item.name, item.default) for item in dataclasses.fields(kind))
    names = getattr(kind, "_fields", None)
    if names is None:
        return None
    defaults = kind._field_defaults  # type: ignore[attr-defined]
    return tuple((name, defaults.get(name, dataclasses.MISSING)) for name in names)


def _bare(value: Any) -> Any:
    """Text or a number of a class that the program has made of them; anything else by its type."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    return f"<{type(value).__name__}>"


def decode(hint: Callable[..., T], value: Any) -> T:
    """What `encode` has made a value of.

    Args:
        hint: A class of the model, or the type of a field.
        value: As of `json.loads`. A tuple in it, which JSON has not, is taken as it is.

    Raises:
        FormError: It is nothing of that type.
    """
    found: T = reader(hint)(value)
    return found


@cache
def reader(hint: Any) -> Read:
    """A function that decodes values of a type."""
    if hint in _READERS:
        return _READERS[hint]
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        if len(inner) == 2 and inner[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...]
            return _many(reader(inner[0]))
        return _row([reader(item) for item in inner])
    if origin is Literal:
        return _choice(inner)
    if origin in (typing.Union, types.UnionType):
        return _either(inner)
    if dataclasses.is_dataclass(hint) or hasattr(hint, "_fields"):
        return _record(hint)
    msg = f"the model has no {hint}"
    raise TypeError(msg)


def _exactly(kind: type, what: str) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise FormError(what)
        return value

    return read


def _number(value: Any) -> float:
    if type(value) is float and isfinite(value):
        return value
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            pass
    if type(value) is dict and len(value) == 1:
        word = value.get("number")
        if type(word) is str and word in _ODD:
            return _ODD[word]
    msg = "a number was expected"
    raise FormError(msg)


_READERS: dict[Any, Read] = {
    str: _exactly(str, "text was expected"),
    int: _exactly(int, "a whole number was expected"),
    bool: _exactly(bool, "true or false was expected"),
    type(None): _exactly(type(None), "null was expected"),
    float: _number,
}


def _many(read: Read) -> Read:
    def items(value: Any) -> Any:
        if type(value) is tuple:
            return value
        if type(value) is not list:
            msg = "a list was expected"
            raise FormError(msg)
        return tuple([read(item) for item in value])

    return items


def _row(reads: list[Read]) -> Read:
    def items(value: Any) -> Any:
        if type(value) is not list or len(value) != len(reads):
            msg = f"a list of {len(reads)} was expected"
            raise FormError(msg)
        return tuple([read(item) for read, item in zip(reads, value, strict=True)])

    return items


def _choice(words: tuple[str, ...]) -> Read:
    known = {word: word for word in words}

    def word(value: Any) -> Any:
        found = known.get(value) if type(value) is str else None
        if found is None:
            msg = "a word that nobody knows"
            raise FormError(msg)
        return found

    return word


def _either(hints: tuple[Any, ...]) -> Read:
    """One of several types, told apart by what JSON has made of them."""
    others = [reader(hint) for hint in hints if hint is not type(None)]
    optional = type(None) in hints

    def one(value: Any) -> Any:
        if value is None and optional:
            return None
        trouble = FormError("null")
        for read in others:
            try:
                return read(value)
            except FormError as error:
                trouble = error
        raise trouble

    return others[0] if not optional and len(others) == 1 else one


def _shared(read: Read) -> Read:
    known: dict[str, str] = {}

    def text(value: Any) -> Any:
        found = known.get(value) if type(value) is str else None
        if found is None:
            found = read(value)
            if type(found) is str and len(known) < _MOST_SHARED:
                known[found] = found
        return found

    return text


def _record(kind: Any) -> Read:
    hints = typing.get_type_hints(kind)
    plan = _plan(kind) or ()
    reads = {name: reader(hints[name]) for name, _ in plan}
    for name in _SHARED & reads.keys():
        reads[name] = _shared(reads[name])
    needed = frozenset(name for name, default in plan if default is dataclasses.MISSING)
    make: Callable[..., Any] = kind if hasattr(kind, "_fields") else maker(kind)

    def record(value: Any) -> Any:
        if type(value) is not dict:
            msg = f"{kind.__name__}: keys and values were expected"
            raise FormError(msg)
        found = {}
        for name, item in value.items():
            read = reads.get(name)
            if read is not None:
                try:
                    found[name] = read(item)
                except FormError as error:
                    msg = f"{kind.__name__}.{name}: {error}"
                    raise FormError(msg) from None
        if not needed <= found.keys():
            msg = f"{kind.__name__}.{min(needed - found.keys())} is missing"
            raise FormError(msg)
        return make(**found)

    return record
