"""Whose code a file holds: the program's own, or a library's."""

from __future__ import annotations

import os
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path

_PACKAGE = str(Path(__file__).parent.parent) + os.sep
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def _standard_library() -> tuple[str, ...]:
    """Folders (and the zip file) that Python's own modules come from."""
    found = {os.path.dirname(os.__file__)}  # noqa: PTH120 - must be spelt as code objects spell it
    for name in ("stdlib", "platstdlib"):
        path = sysconfig.get_path(name)
        if path:
            found.add(path)
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
    if filename.startswith(_PACKAGE):
        return filename.startswith(f"{_PACKAGE}demo_apps{os.sep}")
    if any(part in filename for part in _INSTALLED):
        return False
    return not filename.startswith(_STANDARD)
