"""The names a session has beside the program's: they talk to the session, not the host."""

from __future__ import annotations

import builtins
import io
from collections.abc import Callable
from typing import Any, NoReturn

_NOTHING = object()


class Leave:
    """``exit`` and ``quit``: leave the session; the program goes on."""

    def __call__(self, code: object = None) -> NoReturn:
        """Leave."""
        raise SystemExit(code)

    def __repr__(self) -> str:
        return "exit() or Ctrl-D leaves this session; the program goes on"


def session_names(write: Callable[[str], None]) -> dict[str, Any]:
    """``print``, ``help``, ``exit``, ``quit``, and refusals of what reads the host's stdin.

    Args:
        write: Takes text from any thread.
    """

    def print(  # noqa: A001 - it stands for the built-in
        *values: object,
        sep: str | None = " ",
        end: str | None = "\n",
        file: Any = None,
        flush: bool = False,
    ) -> None:
        """Print to this console session, or to ``file``."""
        if file is not None:
            builtins.print(*values, sep=sep, end=end, file=file, flush=flush)
            return
        text = io.StringIO()
        builtins.print(*values, sep=sep, end=end, file=text)
        write(text.getvalue())

    def help(thing: object = _NOTHING) -> None:  # noqa: A001 - it stands for the built-in
        """Show the documentation of ``thing``."""
        if thing is _NOTHING:
            write("help(THING) shows the documentation of an object or of a dotted name.\n")
            return
        import pydoc  # noqa: PLC0415 - large, and seldom asked for

        text = pydoc.render_doc(thing, renderer=pydoc.plaintext)  # type: ignore[attr-defined]  # typeshed lacks it
        write(text + "\n")

    names: dict[str, Any] = {"print": print, "help": help, "exit": Leave(), "quit": Leave()}
    for name in ("input", "breakpoint", "license", "credits", "copyright"):
        names[name] = _refusal(name)
    return names


def _refusal(name: str) -> Callable[..., NoReturn]:
    def refuse(*_arguments: object, **_options: object) -> NoReturn:
        msg = f"{name}() would read the program's stdin and block its loop; not in this console"
        raise RuntimeError(msg)

    refuse.__name__ = refuse.__qualname__ = name
    return refuse
