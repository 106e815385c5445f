"""Commands, readers and rules of installed libraries: entry points of real distributions."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from asyncconsole.serve import extensions
from tests.children import ENVIRONMENT, connect
from tests.interpreters import CHECKOUT, INTERPRETERS

DEADLINE = 30

HOTEL = """
import asyncio

class Room:
    all = []

    def __init__(self, name, floor):
        self.name, self.floor, self.guest, self._waiting = name, floor, None, []
        Room.all.append(self)

    async def check_in(self, guest):
        while self.guest is not None:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future
        self.guest = guest

    async def __aenter__(self):
        await self.check_in(asyncio.current_task().get_name())

    async def __aexit__(self, *error):
        self.guest = None

async def sleep(room):
    async with room:
        await asyncio.sleep(1000)
"""

PROGRAM = """
import asyncio, sys
import asyncconsole

async def main():
    console = asyncconsole.start(port=0, unix_socket=False)
    print(console.port, flush=True)
    loop = asyncio.get_running_loop()
    for line in iter(lambda: loop.run_in_executor(None, sys.stdin.readline), None):
        line = await line
        if not line:
            break
        import hotel
        room = hotel.Room("12", 1)
        guests = [asyncio.create_task(hotel.sleep(room), name=name) for name in ("ann", "bob", "cy")]
        await asyncio.sleep(0)
        print("open", flush=True)
    console.close()

asyncio.run(main())
"""

BROKEN = {
    "missing": "no_such_module:thing",
    "exits": "trouble:exits",
    "ps": "trouble:fine",
    "what": "trouble:NOTHING",
}


@pytest.fixture
def installed(tmp_path):
    """``installed(name, files, points)`` puts a distribution where programs find it."""

    def install(name, files, points):
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text(text)
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        sections = [
            f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items())
            for group, entries in points.items()
        ]
        (info / "entry_points.txt").write_text("\n".join(sections))

    return install


@pytest.fixture
def start(tmp_path):
    """``start(python)`` starts the program; its process and its port."""
    started = []

    def begin(python, **more):
        path = f"{CHECKOUT}:{tmp_path}"
        child = subprocess.Popen(
            [python, "-W", "error", "-c", PROGRAM],
            env={**ENVIRONMENT, "PYTHONPATH": path, **more}, cwd=tmp_path, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(child)
        return child, int(child.stdout.readline())

    yield begin
    for child in started:
        child.kill()
        child.communicate()


def blocks(page, language):
    text = (CHECKOUT / "docs" / "extend" / page).read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def points_of(page):
    """The entry points that the page's pyproject.toml declares."""
    (text,) = blocks(page, "toml")
    found = {}
    for group, body in re.findall(r'entry-points\."(.*?)"\]\n(.*?)(?:\n\n|$)', text, re.DOTALL):
        found[group] = dict(re.findall(r'^(\w+) = "(.*)"$', body, re.MULTILINE))
    assert len(found) == 3
    return found


@pytest.mark.parametrize("python", INTERPRETERS)
def test_the_example_of_the_docs(installed, start, python):
    (source,) = blocks("ship.md", "python")
    files = {"hotel/__init__.py": HOTEL, "hotel/_console.py": source}
    installed("hotel", files, points_of("ship.md"))
    child, port = start(python)
    done = connect(port, "version", "hotel")
    assert "hotel" not in done.stdout
    assert "No command `hotel`" in done.stderr  # the program has no hotels yet
    child.stdin.write("\n")
    child.stdin.flush()
    assert child.stdout.readline() == "open\n"
    done = connect(port, "hotel", "ps", "locks", "doctor", "version")
    assert done.returncode == 0, done.stderr
    assert "ROOM  GUEST\n12    ann\n1 row\n" in done.stdout
    assert "hotel.Room Room.all[0] (L1)" in done.stdout
    assert re.search(r"taken by ann +ann \(2\) +__init__.py:\d+ sleep +1\. bob \(3\)", done.stdout)
    assert "2 guests wait for a room" in done.stdout
    assert "With hotel (commands, hotel 1.0), hotel (readers, hotel 1.0)" in done.stdout
    _, errors = child.communicate(timeout=DEADLINE)
    assert (child.returncode, errors) == (0, "")


def test_snapshot_and_diagnose_use_them_without_a_console(installed, tmp_path):
    (source,) = blocks("ship.md", "python")
    files = {"hotel/__init__.py": HOTEL, "hotel/_console.py": source}
    installed("hotel", files, points_of("ship.md"))
    program = PROGRAM.replace("asyncconsole.start(port=0, unix_socket=False)", "None")
    program = program.replace("print(console.port, flush=True)", "asyncconsole.snapshot()")
    program = program.replace(
        "    console.close()\n",
        "        kinds = [task.wait.kind for task in asyncconsole.snapshot().tasks if task.name == 'cy']\n"
        "        found = await asyncio.to_thread(asyncconsole.diagnose)\n"
        "        print(kinds, [finding.summary for finding in found.findings], flush=True)\n",
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], env={**ENVIRONMENT,
        "PYTHONPATH": f"{CHECKOUT}:{tmp_path}"}, cwd=tmp_path, text=True, input="\n",
        capture_output=True, timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert done.stdout == "open\n['room'] ['2 guests wait for a room']\n", done.stderr


def test_a_dump_imports_none(installed, tmp_path):
    (source,) = blocks("ship.md", "python")
    files = {"hotel/__init__.py": HOTEL, "hotel/_console.py": source}
    installed("hotel", files, points_of("ship.md"))
    program = (
        "import io, sys, hotel, asyncconsole\n"
        "asyncconsole.dump(io.StringIO())\nprint('hotel._console' in sys.modules)\n"
        "asyncconsole.snapshot()\nprint('hotel._console' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], env={**ENVIRONMENT,
        "PYTHONPATH": f"{CHECKOUT}:{tmp_path}"}, cwd=tmp_path, text=True,
        capture_output=True, timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert done.stdout == "False\nTrue\n", done.stderr


def test_broken_ones_are_switched_off_and_named(installed, start):
    trouble = (
        "import sys, types\n"
        "def __getattr__(name):\n    if name == 'exits': sys.exit(3)\n    raise AttributeError(name)\n"
        "def fine():\n    return 'fine'\n"
        "NOTHING = 3\n"
        "class Rule:\n    kind, rank = 'lock_cycle', 1\n    def check(self, case): return 1 / 0\n"
        "class Odd(Rule):\n    kind = 'odd'\n"
        "RULE, ODD = Rule(), Odd()\n"
    )
    points = {
        "asyncconsole.commands": {
            **BROKEN,
            "fine": "trouble:fine",
            "made": "more:COMMAND",
            "several": "more",
        },
        "asyncconsole.readers": {"reader": "trouble:NOTHING"},
        "asyncconsole.rules": {"raises": "trouble:RULE", "odd": "trouble:ODD"},
        "asyncconsole.others": {"other": "trouble:fine"},
    }
    (made,) = blocks("command.md", "python")
    more = f"{made}\nimport asyncconsole\n@asyncconsole.command\ndef another():\n    return 'another'\n"
    installed("trouble", {"trouble.py": trouble, "more.py": more}, points)
    child, port = start(INTERPRETERS[0].values[0])
    done = connect(
        port, "fine", "another", "oldest --least 3600", "deadlocks", "deadlocks", "version"
    )
    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout
    assert said.startswith("fine\nanother\nnone\nFound no deadlock")
    for name, why in (
        ("missing (commands)", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("exits (commands)", "SystemExit: 3"),
        ("ps (commands)", "ValueError: command `ps`: that name is the console's own"),
        ("what (commands)", "TypeError: int: not a function, a Command"),
        ("reader (readers)", "TypeError: a int is no Reader"),
        ("odd (rules)", "ValueError: its kind is 'odd'"),
        ("raises (rules)", "it raised ZeroDivisionError: division by zero"),
    ):
        assert f"Left out {name} of trouble 1.0: {why}" in said, said
    names = ("fine", "made", "several")
    assert f"With {', '.join(f'{name} (commands, trouble 1.0)' for name in names)}\n" in said
    document = json.loads(connect(port, "version", options=("--json",)).stdout)
    assert [item["name"] for item in document["extensions"]] == list(names)
    assert len(document["gaps"]) == 7
    _, errors = child.communicate(timeout=DEADLINE)
    assert child.returncode == 0
    assert errors.count("is switched off") == 7, errors


def test_one_whose_import_never_ends_keeps_nobody(installed, start):
    slow = "import threading\nthreading.Event().wait(60)\n"
    points = {"asyncconsole.commands": {"slow": "slow_library:thing", "late": "later:thing"}}
    files = {"slow_library.py": slow, "later.py": "def thing():\n    return 'late'\n"}
    installed("slow", files, points)
    child, port = start(INTERPRETERS[-1].values[0])
    done = connect(port, "ps", "version")
    assert done.returncode == 0, done.stderr
    assert "Left out slow (commands) of slow 1.0: still being imported after 3 s" in done.stdout
    _, errors = child.communicate(timeout=DEADLINE)
    assert (child.returncode, errors.count("\n")) == (0, 1), errors


def test_the_environment_chooses(installed, start):
    points = {"asyncconsole.commands": {"one": "both:one", "two": "both:two"}}
    files = {"both.py": "def one():\n    return 1\ndef two():\n    return 2\n"}
    installed("first", files, points)
    child, port = start(INTERPRETERS[0].values[0], ASYNCCONSOLE_EXTENSIONS="two, x")
    document = json.loads(connect(port, "version", options=("--json",)).stdout)
    assert [item["name"] for item in document["extensions"]] == ["two"]
    _, errors = child.communicate(timeout=DEADLINE)
    assert (child.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    ("wanted", "found"), [("off", []), ("", ["one", "two"]), ("first", ["one", "two"]), ("x", [])]
)
def test_what_the_environment_may_say(installed, monkeypatch, tmp_path, wanted, found):
    installed("first", {}, {"asyncconsole.rules": {"one": "both:one", "two": "both:two"}})
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setenv(extensions.VARIABLE, wanted)
    assert [extension.name for extension, _ in extensions._found()] == found
