"""The words after ``asyncconsole``."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from asyncconsole._version import __version__
from tests.client.cli import client, complaint

if TYPE_CHECKING:
    from pathlib import Path


def test_version_and_help(tmp_path: Path) -> None:
    assert client(tmp_path, "--version").stdout == f"asyncconsole {__version__}\n"
    text = client(tmp_path, "--help").stdout
    for name in ("connect", "ls", "run", "demo", "check", "guard", "130 Ctrl-C"):
        assert name in text
    for name in ("connect", "ls", "run", "demo", "check", "guard"):
        done = client(tmp_path, name, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"usage: asyncconsole {name} ")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ((), "--help"),
        (("conect",), "`connect`"),
        (("xyzzy",), "--help"),
        (("ls", "--jsno"), "`--json`"),
        (("connect", "--time", "3"), "`--timeout`"),
        (("connect", "--timeout", "soon"), "soon"),
        (("connect", "--timeout", "-1"), "timeout"),
        (("connect", "--timeout", "nan"), "timeout"),
        (("check", "a", "b"), "`b`"),
        (("check", "--max-lag", "0"), "max-lag"),
        (("run",), "which program"),
        (("run", "-m"), "module"),
        (("run", "--prot", "3", "x.py"), "`--port`"),
        (("run", "nosuch.py"), "nosuch.py"),
        (("demo", "bnak"), "`bank`"),
    ],
)
def test_wrong_words_are_one_line_and_code_2(
    words: tuple[str, ...], hint: str, tmp_path: Path
) -> None:
    done = client(tmp_path, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert hint in complaint(done)


def test_nothing_third_party_is_loaded_without_a_terminal(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from asyncconsole.client.main import main\n"
        "main(['ls', '--json']); main(['connect', '127.0.0.1:1', '-c', 'ps'])\n"
        "own = set(sys.stdlib_module_names) | {'asyncconsole', '__main__'}\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} - own))\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        env={"XDG_RUNTIME_DIR": str(tmp_path), "PYTHONPATH": ".", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
