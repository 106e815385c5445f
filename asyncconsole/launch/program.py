"""A Python program, run in this process as ``python`` would run it.

What ``python script.py`` and ``python -m module`` set up is set up again: ``sys.argv``,
``sys.path[0]`` and a fresh ``__main__`` module (so that pickling, ``multiprocessing`` and
``if __name__ == "__main__"`` work). How it ends is left to the interpreter: exceptions,
``SystemExit`` and ``KeyboardInterrupt`` pass through, so exit codes and death by signal are
Python's own; only our frames are taken out of the traceback that is printed.
"""

from __future__ import annotations

import builtins
import io
import os
import sys
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from types import ModuleType, TracebackType
from typing import Any

from asyncconsole.model.errors import UsageError


@dataclass(frozen=True, slots=True)
class Program:
    """What to run.

    Attributes:
        name: Path of a script, of a folder or zip file with a ``__main__.py``, or a
            module's name.
        module: True when ``name`` is a module's.
        args: The program's own arguments.
    """

    name: str
    module: bool = False
    args: list[str] = field(default_factory=list)

    def announce(self) -> None:
        """Let ``sys.argv`` be the program's; the console names it by that.

        Raises:
            UsageError: The script is not there. (A missing module is found out, and
                said, by Python itself.)
        """
        if not self.module and not os.path.exists(self.name):  # noqa: PTH110 - pathlib costs 10 ms
            hint = f" A module is run with `-m {self.name}`." if "." not in self.name else ""
            msg = f"run: no such file: {self.name}.{hint}"
            raise UsageError(msg)
        # What the interpreter leaves in [0] while it looks for a module is "-m".
        sys.argv[:] = ["-m" if self.module else self.name, *self.args]

    def run(self) -> None:
        """After `announce`: run it to its end; whatever it raises passes through.

        May be called once in a process, on its main thread.
        """
        main = ModuleType("__main__")
        main.__dict__["__builtins__"] = builtins
        sys.modules["__main__"] = main
        try:
            if self.module:
                _set_first_path(os.getcwd())  # noqa: PTH109 - sys.path holds strings
                _run_module(self.name, alter_argv=True)
            elif _is_package(self.name):
                # As CPython does: the folder goes on the path and its __main__ is a module.
                _set_first_path(os.path.abspath(self.name), always=True)  # noqa: PTH100 - as above
                _run_module("__main__", alter_argv=False)
            else:
                _set_first_path(os.path.dirname(os.path.realpath(self.name)))  # noqa: PTH120 - as above
                _run_script(self.name, main)
        except BaseException:
            _hide_our_frames()
            raise


def _set_first_path(folder: str, *, always: bool = False) -> None:
    """Put ``folder`` where Python had put our own script's folder."""
    if getattr(sys.flags, "safe_path", sys.flags.isolated):  # safe_path: 3.11+
        if always:
            sys.path.insert(0, folder)
    else:
        sys.path[0] = folder


def _is_package(name: str) -> bool:
    """True for a folder or zip file, which Python runs by its ``__main__.py``."""
    if os.path.isdir(name):  # noqa: PTH112 - pathlib costs 10 ms
        return True
    with open(name, "rb") as file:  # noqa: PTH123 - as above
        return file.read(4) == b"PK\x03\x04"


def _run_module(name: str, *, alter_argv: bool) -> None:
    """What ``python -m`` calls, on the ``__main__`` that is in ``sys.modules``."""
    import runpy  # noqa: PLC0415 - not for scripts

    run: Any = runpy._run_module_as_main  # type: ignore[attr-defined]  # noqa: SLF001 - runpy.run_module uses a module that dies when it returns
    run(name, alter_argv)


def _run_script(name: str, main: ModuleType) -> None:
    """Execute a file as ``__main__``."""
    path = os.path.abspath(name)  # noqa: PTH100 - a string is wanted
    main.__file__ = path
    main.__loader__ = SourceFileLoader("__main__", path)
    main.__spec__ = None
    main.__package__ = None
    with io.open_code(path) as file:  # audited, as Python's own reading is
        code = compile(file.read(), path, "exec", dont_inherit=True)
    exec(code, main.__dict__)  # noqa: S102 - running programs is what this is for


def _hide_our_frames() -> None:
    """Have the traceback that ends the process begin in the program."""
    theirs = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.excepthook = theirs
        own = trace
        while own is not None and own.tb_frame.f_code not in _OURS:
            own = own.tb_next  # the command line above us
        while own is not None and own.tb_frame.f_code in _OURS:
            own = own.tb_next
        sys.last_traceback = own  # post-mortem debuggers begin there
        theirs(kind, error.with_traceback(own), own)

    sys.excepthook = hook


_OURS = {Program.run.__code__, _run_module.__code__, _run_script.__code__}
