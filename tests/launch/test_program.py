"""`run` against plain Python: the same program must say the same and end the same."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.client.cli import PORT_NEWS
from tests.interpreters import CHECKOUT, INTERPRETERS

FACTS = """
import json, sys
main = sys.modules["__main__"]
assert vars(main) is globals()
print(json.dumps({
    "argv": sys.argv, "path0": sys.path[0], "name": __name__, "file": __file__,
    "package": __package__, "loader": type(__loader__).__name__,
    "spec": None if __spec__ is None else (__spec__.name, __spec__.origin),
    "builtins": type(__builtins__).__name__, "doc": __doc__, "flags": str(sys.flags),
    "names": sorted(set(vars(main)) - {"__cached__", "__annotations__"}),
}, indent=1))
"""

PROGRAMS = {
    "facts": FACTS,
    "exit_number": "import sys; sys.exit(3)",
    "exit_message": "import sys; sys.exit('no more money')",
    "exit_none": "raise SystemExit",
    "exception": "def f():\n    return 1 / 0\n\nf()\n",
    "chained": "try:\n    {}['k']\nexcept KeyError as e:\n    raise ValueError('v') from e\n",
    "group_of_frames": "import json\njson.loads('{')\n",
    "syntax": "print('a')\ndef f(:\n    pass\n",
    "latin1": b"# coding: latin-1\nprint(len('\xe9'))\n",
    "keyboard_interrupt": "raise KeyboardInterrupt",
    "sigint": "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)\n",
    "sigterm": "import os, signal, time\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(9)\n",
    "excepthook": "import sys\nsys.excepthook = lambda k, e, t: print('mine', k, e, t.tb_lineno)\n1 / 0\n",
    "hook_sees_no_frames_of_ours": (
        "import sys, traceback\n"
        "sys.excepthook = lambda k, e, t: print(traceback.extract_tb(e.__traceback__))\n"
        "1 / 0\n"
    ),
    "last_exception": (
        "import atexit, sys\n"
        "atexit.register(lambda: print('at exit', sys.last_value, sys.last_traceback.tb_lineno))\n"
        "1 / 0\n"
    ),
    "thread_outlives_main": (
        "import atexit, threading, time\n"
        "atexit.register(print, 'at exit')\n"
        "threading.Thread(target=lambda: (time.sleep(0.2), print('thread'))).start()\n"
        "print('main ends')\n"
    ),
    "pickle": (
        "import pickle\n"
        "class Thing: pass\n"
        "print(type(pickle.loads(pickle.dumps(Thing()))) is Thing, Thing.__module__)\n"
    ),
    "spawn": (
        "import multiprocessing\n"
        "def double(n): return 2 * n\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.map(double, [1, 2]))\n"
    ),
    "stdin": "print(input())",
    "asyncio": (
        "import asyncio\n"
        "async def main():\n"
        "    await asyncio.sleep(0.01)\n"
        "    raise LookupError('lost')\n"
        "asyncio.run(main())\n"
    ),
}


def outcome(python: str, words: list[str], cwd: Path) -> tuple[int, str, str]:
    """Exit code, stdout, and stderr without our own line."""
    done = subprocess.run(
        [python, "-W", "error", *words],
        cwd=cwd,
        input="typed\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": str(CHECKOUT),
            "XDG_RUNTIME_DIR": str(cwd),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )
    errors = re.sub(r"(?m)^asyncconsole: telnet .*\n", "", PORT_NEWS.sub("", done.stderr))
    return done.returncode, done.stdout, errors


def same(python: str, words: list[str], cwd: Path) -> tuple[int, str, str]:
    """Run with plain Python and with `run`; both must be alike."""
    plain = outcome(python, words, cwd)
    assert outcome(python, ["-m", "asyncconsole", "run", *words], cwd) == plain
    return plain


ENDS = [INTERPRETERS[0], INTERPRETERS[-1]] if len(INTERPRETERS) > 1 else INTERPRETERS
"""Oldest and newest: what is Python's own business is not asked of every version."""


@pytest.mark.parametrize("python", INTERPRETERS)
@pytest.mark.parametrize("name", ["facts", "exception", "sigint", "last_exception"])
def test_every_version_runs_a_script_as_it_would_itself(
    name: str, python: str, tmp_path: Path
) -> None:
    test_a_script_is_what_plain_python_makes_of_it(name, python, tmp_path)


@pytest.mark.parametrize("python", ENDS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_script_is_what_plain_python_makes_of_it(name: str, python: str, tmp_path: Path) -> None:
    source = PROGRAMS[name]
    folder = tmp_path / "scripts"
    folder.mkdir()
    path = folder / "app.py"
    path.write_bytes(source if isinstance(source, bytes) else source.encode())
    same(python, ["scripts/app.py", "--port", "3", "-m", "x", "--", "--help"], tmp_path)


@pytest.mark.parametrize("python", ENDS)
def test_the_comparison_sees_what_it_compares(python: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PROGRAMS["keyboard_interrupt"])
    code, _, errors = same(python, ["app.py"], tmp_path)
    assert code == -signal.SIGINT
    assert "KeyboardInterrupt" in errors
    (tmp_path / "app.py").write_text(PROGRAMS["exception"])
    code, _, errors = same(python, ["app.py"], tmp_path)
    assert code == 1
    assert "asyncconsole" not in errors
    assert errors.count("File ") == 2


@pytest.mark.parametrize("python", ENDS)
@pytest.mark.parametrize("source", [FACTS, "1 / 0\n", "import sys; sys.exit(5)"])
def test_modules_packages_folders_and_zip_files(source: str, python: str, tmp_path: Path) -> None:
    (tmp_path / "single.py").write_text(source)
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "part.py").write_text("value = 1\n")
    (package / "__main__.py").write_text("from .part import value\n" + source)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "neighbour.py").write_text("value = 1\n")
    (folder / "__main__.py").write_text("from neighbour import value\n" + source)
    with zipfile.ZipFile(tmp_path / "app.pyz", "w") as archive:
        archive.writestr("__main__.py", source)
    for words in (["-m", "single"], ["-msingle"], ["-m", "package"], ["folder"], ["app.pyz"]):
        same(python, [*words, "--read-only", "x"], tmp_path)


@pytest.mark.parametrize("python", ENDS)
def test_a_module_that_is_not_there(python: str, tmp_path: Path) -> None:
    code, _, errors = same(python, ["-m", "no.such.module"], tmp_path)
    assert code == 1
    assert "no.such" in errors or "'no'" in errors


def test_a_symbolic_link_runs_beside_its_target(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "neighbour.py").write_text("print('found')\n")
    (real / "app.py").write_text("import neighbour\n")
    (tmp_path / "link.py").symlink_to(real / "app.py")
    python = INTERPRETERS[0].values[0]
    assert same(str(python), ["link.py"], tmp_path)[1] == "found\n"
