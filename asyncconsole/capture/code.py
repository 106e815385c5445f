"""What is known of code: whose it is, and what it is called."""

from __future__ import annotations

import asyncio
import os
import sys
import weakref
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType

_PACKAGE = str(Path(__file__).parent.parent) + os.sep
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def _standard_library() -> tuple[str, ...]:
    """Folders (and the zip file) that Python's own modules come from."""
    # Not from sysconfig, which loads every variable of Python's own build for this.
    found = {os.path.dirname(os.__file__)}  # noqa: PTH120 - must be spelt as code objects spell it
    # A zipped standard library stands in sys.path as python311.zip.
    zipped = f"python{sys.version_info[0]}{sys.version_info[1]}.zip"
    found.update(path for path in sys.path if path.endswith(zipped))
    found.update([os.path.realpath(path) for path in found])
    return tuple(path.rstrip(os.sep) + os.sep for path in found)


_STANDARD = _standard_library()


@lru_cache(maxsize=4096)
def is_own(filename: str) -> bool:
    """True when code of that file name belongs to the program being watched.

    False for the standard library, frozen modules, installed packages and this
    package. The demo services that ship inside this package count as programs.
    """
    if filename.startswith("<frozen"):
        return False
    if filename.endswith((".pyx", ".pxi", ".pxd")) and not filename.startswith(os.sep):
        # Compiled by Cython, which keeps the path it was built from: where is the package?
        package = sys.modules.get(filename.replace("\\", "/").partition("/")[0])
        filename = getattr(package, "__file__", None) or filename
    if in_package(filename):
        return False
    if filename.startswith(_PACKAGE):
        return True
    if any(part in filename for part in _INSTALLED):
        return False
    return not filename.startswith(_STANDARD)


def in_package(filename: str) -> bool:
    """True for code of this package, the demo services in it left out."""
    demos = f"{_PACKAGE}demo_apps{os.sep}"
    return filename.startswith(_PACKAGE) and not filename.startswith(demos)


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """What is worth knowing of a code object, found out once.

    Attributes:
        own: The program's own code.
        asyncio: Code of the asyncio package.
        function: Its name as people call it; "" where only the owner knows it (3.10).
        cancels: It is the program's own and uses something called ``cancel``.
        releases: It is the program's own and calls some ``release()`` without an
            argument, or hands that method on: it may give a lock back.
    """

    own: bool
    asyncio: bool
    function: str
    cancels: bool
    releases: bool


_facts: dict[int, tuple[weakref.ref[CodeType], CodeFacts]] = {}
_MOST = 8192
_ASYNCIO = os.path.dirname(asyncio.__file__) + os.sep  # noqa: PTH120 - as code objects spell it


def code_facts(code: CodeType) -> CodeFacts:
    """The facts of a code object, from memory when it is known."""
    known = _facts.get(id(code))
    if known is not None and known[0]() is code:
        return known[1]
    own = is_own(code.co_filename)
    facts = CodeFacts(
        own,
        code.co_filename.startswith(_ASYNCIO),
        short(getattr(code, "co_qualname", "")),  # 3.11+
        own and "cancel" in code.co_names,
        own and "release" in code.co_names and _releases(code),
    )
    if len(_facts) >= _MOST:
        _facts.pop(next(iter(_facts)), None)
    _facts[id(code)] = (weakref.ref(code), facts)
    return facts


def _releases(code: CodeType) -> bool:
    """Whether ``release`` is used in any way but a call with arguments.

    ``pool.release(connection)`` gives back something else than a lock.
    """
    import dis  # noqa: PLC0415 - only for code that releases something

    steps = [step for step in dis.get_instructions(code) if step.opname not in _FILLERS]
    for index, step in enumerate(steps):
        if step.argval != "release" or not step.opname.startswith("LOAD_"):
            continue
        following = steps[index + 1] if index + 1 < len(steps) else None
        method = step.opname == "LOAD_METHOD" or (step.arg or 0) & 1
        called = following is not None and following.opname.startswith("CALL")
        if not method or (called and not following.arg):  # type: ignore[union-attr]  # called says so
            return True
    return False


_FILLERS = {"CACHE", "PRECALL", "NOT_TAKEN", "NOP", "EXTENDED_ARG", "PUSH_NULL"}


def short(qualname: str) -> str:
    """``main.<locals>.worker`` as people call it: ``worker``."""
    return qualname.rpartition("<locals>.")[2]
