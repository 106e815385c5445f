"""How much memory the process has, and how much is left for a copy of it. Linux only."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def resident() -> int:
    """Bytes of memory that a fork has to copy the page tables of: resident, not of files.

    Raises:
        OSError: There is no ``/proc``.
    """
    fields = Path("/proc/self/statm").read_bytes().split()
    return max(0, int(fields[1]) - int(fields[2])) * _PAGE


def free() -> int | None:
    """Bytes that may still be used, by the machine and by the control group; None: unknown."""
    found = [left for left in (_machine(), *map(_group, _groups())) if left is not None]
    return min(found, default=None)


def _machine() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_bytes().splitlines():
            if line.startswith(b"MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None


def _groups() -> list[Path]:
    """Folders of this process's group and of those around it; of the container's, inside one."""
    try:
        path = next(
            line.partition("::")[2]
            for line in Path("/proc/self/cgroup").read_text().splitlines()
            if line.startswith("0::")
        )
    except (OSError, StopIteration):
        path = "/"
    inner = _CGROUP / path.strip("/")
    return [inner, *(folder for folder in inner.parents if folder.is_relative_to(_CGROUP))]


def _group(folder: Path) -> int | None:
    """What a group (version 2) may still use; caches of files don't count as used."""
    try:
        most = (folder / "memory.max").read_text().strip()
        if most == "max":
            return None
        used = int((folder / "memory.current").read_text())
        for line in (folder / "memory.stat").read_text().splitlines():
            if line.startswith("inactive_file "):
                used -= int(line.split()[1])
        return max(0, int(most) - used)
    except (OSError, ValueError, IndexError):
        return None
