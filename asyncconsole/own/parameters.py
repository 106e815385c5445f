"""What a function takes, as words that people type."""

from __future__ import annotations

import enum
import inspect
import math
import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union

Shape = Literal["word", "words", "flag", "option"]

RESERVED = {"json"}
"""Options that every command of the console has."""

_PLAIN: dict[Any, Callable[[str], Any]] = {str: str, int: int, float: float}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    Attributes:
        name: As the function calls it.
        shape: A word, all words that are left, a flag, or an option with a value.
        named: True when it must be passed by its name.
        required: False when it may be left out.
        default: What it is then.
        read: Makes its value of a word; raises ValueError for words that are none.
        kind: What it takes, in a word: ``int``.
        choices: The words that it takes, when these are few.
        negative: The flag says no.
        help: What it is.
    """

    name: str
    shape: Shape
    named: bool
    required: bool
    default: Any
    read: Callable[[str], Any]
    kind: str
    choices: tuple[str, ...] = ()
    negative: bool = False
    help: str = ""

    @property
    def option(self) -> str:
        """``--dry-run``, for what is an option or a flag."""
        return f"--{'no-' if self.negative else ''}{self.name.strip('_').replace('_', '-')}"


def parameters(
    command: str, function: Callable[..., Any], helps: Mapping[str, str]
) -> tuple[Parameter, ...]:
    """What ``function`` takes.

    Args:
        command: Its name, for complaints.
        function: The function.
        helps: What its docstring says of each parameter.

    Raises:
        ValueError: A parameter can't be typed at a console.
    """
    found: list[Parameter] = []
    for item in _signature(function).parameters.values():
        if item.kind is item.VAR_KEYWORD:
            msg = f"command `{command}`: nobody can type **{item.name}; name each option."
            raise ValueError(msg)
        if not found and item.name in ("self", "cls") and item.annotation is item.empty:
            msg = (
                f"command `{command}`: {item.name} can't be typed. Decorate a function, or a bound "
                "method: asyncconsole.command(thing.method)."
            )
            raise ValueError(msg)
        found.append(_parameter(command, function, item, helps.get(item.name, "")))
    options = [one.option for one in found if one.shape in ("flag", "option")]
    for option in options:
        if options.count(option) > 1:
            msg = f"command `{command}`: two parameters are called {option}; rename one."
            raise ValueError(msg)
    return tuple(found)


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    if sys.version_info >= (3, 14):  # else a return type known to type checkers alone would raise
        import annotationlib  # noqa: PLC0415 - not there before

        return inspect.signature(function, annotation_format=annotationlib.Format.FORWARDREF)
    return inspect.signature(function)


def _parameter(
    command: str, function: Callable[..., Any], item: inspect.Parameter, text: str
) -> Parameter:
    hint, optional, more = _hint(command, function, item)
    text = more or text
    named = item.kind is item.KEYWORD_ONLY
    required = item.default is item.empty and not optional
    default = None if item.default is item.empty else item.default
    if hint is bool and item.kind is not item.VAR_POSITIONAL:
        no = item.default is True
        default = False if default is None and not optional else default
        flag = Parameter(item.name, "flag", named, False, default, bool, "bool", (), no, text)
        return _free(command, flag)
    read, kind, choices = _reading(command, item, hint)
    if item.kind is item.VAR_POSITIONAL:
        return Parameter(item.name, "words", False, False, (), read, kind, choices, help=text)
    shape: Shape = "option" if named else "word"
    found = Parameter(item.name, shape, named, required, default, read, kind, choices, help=text)
    return _free(command, found) if named else found


def _free(command: str, parameter: Parameter) -> Parameter:
    """A parameter whose option is not one that every command has.

    Raises:
        ValueError: It is.
    """
    if parameter.option.lstrip("-") in RESERVED:
        msg = (
            f"command `{command}`: {parameter.option} is every command's; rename {parameter.name}."
        )
        raise ValueError(msg)
    return parameter


def _hint(
    command: str, function: Callable[..., Any], item: inspect.Parameter
) -> tuple[Any, bool, str]:
    """The type of a parameter, whether None may stand for it, and what ``Annotated`` says."""
    hint = item.annotation
    if isinstance(hint, str):
        names = getattr(inspect.unwrap(function), "__globals__", {})
        try:
            hint = eval(hint, names)  # noqa: S307 - the program's own annotation, as typing reads it
        except Exception as error:
            msg = (
                f"command `{command}`: can't read the type of {item.name}, {hint}: "
                f"{type(error).__name__}: {error}. Define it at the top of its module."
            )
            raise ValueError(msg) from None
    text = ""
    if typing.get_origin(hint) is Annotated:
        hint, *extras = typing.get_args(hint)
        text = next((extra for extra in extras if isinstance(extra, str)), "")
    optional = False
    if typing.get_origin(hint) in (Union, types.UnionType):
        members = typing.get_args(hint)
        rest = [member for member in members if member is not type(None)]
        optional = len(rest) < len(members)
        hint = rest[0] if len(rest) == 1 else hint
    if hint is item.empty:
        known = type(item.default)
        hint = known if known in (*_PLAIN, bool) or issubclass(known, enum.Enum) else str
    return hint, optional, text


def _reading(
    command: str, item: inspect.Parameter, hint: Any
) -> tuple[Callable[[str], Any], str, tuple[str, ...]]:
    """How a word becomes a value, what that is called, and which words there are."""
    if isinstance(hint, type) and hint in _PLAIN:
        return _PLAIN[hint] if hint is not float else _number, hint.__name__, ()
    if hint is bool:
        return _choice({"yes": True, "no": False}), "bool", ("yes", "no")
    values: dict[str, Any] = {}
    if typing.get_origin(hint) is Literal:
        values = {str(value): value for value in typing.get_args(hint)}
    elif isinstance(hint, type) and issubclass(hint, enum.Enum):
        values = dict(hint.__members__)
    if not values:
        shown = getattr(hint, "__name__", None) if isinstance(hint, type) else None
        msg = (
            f"command `{command}`: {item.name}: {shown or hint} can't be typed at a console. Use "
            "str, int, float, bool, a Literal or an Enum, and convert it in the function."
        )
        raise ValueError(msg)
    return _choice(values), "choice", tuple(values)


def _number(word: str) -> float:
    found = float(word)
    if not math.isfinite(found):
        raise ValueError(word)
    return found


def _choice(values: dict[str, Any]) -> Callable[[str], Any]:
    """Reads one of some words; capitals don't matter where that is clear."""
    lower = {word.lower(): word for word in values}

    def read(word: str) -> Any:
        if word not in values and len(lower) == len(values):
            word = lower.get(word.lower(), word)
        if word not in values:
            raise ValueError(word)
        return values[word]

    return read


def describe(function: Callable[..., Any]) -> tuple[str, tuple[str, ...], dict[str, str]]:
    """The docstring's first paragraph, its other lines, and what it says of each parameter.

    What stands below ``Args:``, as Google's style has it, is of the parameters; the sections
    after it are for programmers.
    """
    lines = (inspect.getdoc(function) or "").splitlines()
    end = next((i for i, line in enumerate(lines) if not line.strip()), len(lines))
    summary = " ".join(line.strip() for line in lines[:end])
    sections = [i for i, line in enumerate(lines) if line in _SECTIONS]
    about = lines[end + 1 : sections[0] if sections else len(lines)]
    while about and not about[-1].strip():
        about.pop()
    helps: dict[str, str] = {}
    if "Args:" in lines:
        start = lines.index("Args:")
        until = next((i for i in sections if i > start), len(lines))
        helps = _helps(lines[start + 1 : until])
    return summary, tuple(about), helps


_SECTIONS = {"Args:", "Returns:", "Raises:", "Yields:", "Example:", "Examples:", "Note:"}


def _helps(lines: list[str]) -> dict[str, str]:
    """``name: text`` and its deeper lines, by name."""
    found: dict[str, str] = {}
    depth = next((len(line) - len(line.lstrip()) for line in lines if line.strip()), 0)
    name = ""
    for line in lines:
        text = line.strip()
        if text and len(line) - len(line.lstrip()) <= depth:
            head, _, tail = text.partition(":")
            name = head.split(" (")[0].strip(" *")
            found[name] = tail.strip()
        elif text and name:
            found[name] += f" {text}"
    return found
