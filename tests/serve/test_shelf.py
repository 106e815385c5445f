"""`dump [FILE]` at the console: files on the program's machine, from a real one."""

from __future__ import annotations

import asyncio
import json
import re
import stat
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from asyncconsole.client import dumps
from asyncconsole.serve import shelf
from tests import children
from tests.documents import validate
from tests.interpreters import INTERPRETERS
from tests.serve.conftest import Program, environment, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

PROGRAM = """
import asyncio, json, logging, os, resource, sys, threading, time
import asyncconsole

OPTIONS = json.loads(sys.argv[1])
logging.basicConfig(format="%(name)s %(levelname)s %(message)s")
LOCK = asyncio.Lock()

async def worker():
    async with LOCK:
        pass

async def main():
    await LOCK.acquire()
    tasks = [asyncio.create_task(worker(), name=f"worker:{n}") for n in range(20)]
    await asyncio.sleep(0)
    if OPTIONS.get("limit"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (OPTIONS["limit"],) * 2)
    console = asyncconsole.start(port=0, read_only=OPTIONS.get("read_only", False))
    said = {"port": console.port, "socket": console.socket_path, "pid": os.getpid()}
    print(json.dumps(said), flush=True)
    sys.stdin.readline()  # all this time the loop is blocked
    names = [thread.name for thread in threading.enumerate()]
    LOCK.release()
    await asyncio.gather(*tasks)
    console.close()
    print(json.dumps(names), flush=True)

asyncio.run(main())
"""


@contextmanager
def serving(python: str = sys.executable, **options: object) -> Iterator[Program]:
    """A program whose loop is blocked until it gets a line."""
    with subprocess.Popen(
        [python, "-c", PROGRAM, json.dumps(options)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=environment(),
    ) as process:  # fmt: skip
        try:
            yield Program(process, json.loads(process.stdout.readline()))
        finally:
            process.kill()


def ask(program: Program, *commands: str | tuple[str, float]) -> list[dict]:
    """What a script gets of each command (and its timeout), its text in one piece."""
    client = program.connect_unix()
    client.send('ASYNCCONSOLE/1 {"interactive": false, "width": 1000}\n')
    assert "hello" in client.message()
    found = []
    for command in commands:
        line, timeout = command if isinstance(command, tuple) else (command, 60)
        client.send(json.dumps({"run": line, "timeout": timeout}) + "\n")
        whole = {"out": ""}
        while "done" not in whole:
            message = client.message()
            message["out"] = whole["out"] + message.get("out", "")
            whole |= message
        found.append(whole)
    client.sock.close()
    return found


@pytest.mark.parametrize("python", INTERPRETERS)
def test_a_file_on_the_programs_machine(runtime: Path, python: str) -> None:
    mine = runtime.parent / "mine.gz"
    with serving(python) as program:
        usual, named, again, missing, lines = ask(
            program, "dump --json", f"dump {mine}", f"dump {mine}", "dump /no/such/file", "dump -"
        )
        assert named["done"] == 0, named
        assert f"Wrote {mine}: 21 tasks, 1 primitive, " in named["out"]
        assert f"asyncconsole view {mine}" in named["out"]
        document = validate(usual["out"])
        pattern = rf"{runtime.parent}/temporary/asyncconsole-{program.pid}-\d{{8}}T\d{{6}}Z.dump.gz"
        assert re.fullmatch(pattern, document["file"])
        for path in (document["file"], mine):
            status = Path(path).stat()
            assert stat.S_IMODE(status.st_mode) == 0o600
            found = dumps.load(str(path)).snapshot
            assert (found.pid, len(found.tasks)) == (program.pid, 21)
        assert document["bytes"] == Path(document["file"]).stat().st_size
        assert (again["done"], again["error"]) == (
            1, f"{mine} is there already, and stays as it is; give another FILE."
        )  # fmt: skip
        assert (missing["done"], missing["error"]) == (
            1, "/no/such/file: No such file or directory."
        )  # fmt: skip
        text = runtime.parent / "lines"
        text.write_text(lines["out"])
        assert dumps.load(str(text)).snapshot.pid == program.pid
        program.process.stdin.write("\n")
        program.process.stdin.flush()
        assert "asyncconsole file" not in json.loads(program.process.stdout.readline())
        errors = program.process.communicate(timeout=20)[1]
    shown = children.run(python, "-m", "asyncconsole", "view", mine, "-c", "ps", "-c", "lock L1")
    assert "21 tasks" in shown.stdout
    assert "1. worker:0" in shown.stdout
    assert f"ran: dump {mine}" in errors
    assert "asyncconsole.audit WARNING unix socket" in errors
    assert "ran: dump -\n" not in errors


def test_links_names_and_deadlines(runtime: Path) -> None:
    """A link is not followed, names are made up, and one that is late leaves nothing."""
    secret, link = runtime.parent / "secret", runtime.parent / "link"
    link.symlink_to(secret)
    with serving() as program:
        refused, late, *usual = ask(
            program, f"dump {link}", ("dump", 0.0), *["dump --json --quick"] * 3
        )
        assert refused["done"] == 1
        assert not secret.exists()
        assert late["done"] == 4
        names = {validate(one["out"])["file"] for one in usual}
        assert len(names) == 3
        folder = runtime.parent / "temporary"
        wait_until(lambda: {str(path) for path in folder.glob("*.gz")} == names)
        client = program.connect()
        with client.sock:  # a person without telnet
            client.send("\n")
            client.until("> ")
            client.send("dump\n")
            assert "Wrote" in client.until("opens")
            client.send("dump -\n")
            assert '{"schema":"asyncconsole/snapshot/1"' in client.until('{"end":')


def test_a_full_disk_leaves_nothing(runtime: Path) -> None:
    with serving(limit=300) as program:
        (failed,) = ask(program, "dump")
        assert failed["done"] == 1
        assert "File too large" in failed["error"]
        assert list((runtime.parent / "temporary").glob("*.gz")) == []
        assert ask(program, "ps")[0]["done"] == 0


def test_a_disk_that_stands_still_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop goes on, what waits for the disk is bounded, and a file that is given up is removed."""
    moving, asked = threading.Event(), []
    put = shelf._put

    def stuck(file: object, data: bytes) -> int:
        moving.wait(60)
        return put(file, data)

    async def pieces() -> AsyncIterator[str]:
        while True:
            asked.append(1)
            yield "x" * 1000

    async def impatient() -> None:
        work = asyncio.ensure_future(shelf.keep(pieces(), str(tmp_path / "a.gz"), ""))
        while not (list(tmp_path.iterdir()) and len(asked) > shelf.AHEAD):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert len(asked) == shelf.AHEAD + 1
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    monkeypatch.setattr(shelf, "_put", stuck)
    asyncio.run(impatient())
    moving.set()
    wait_until(lambda: not list(tmp_path.iterdir()))


def test_a_read_only_console_gives_and_does_not_write(runtime: Path) -> None:
    with serving(read_only=True) as program:
        commands = "dump", f"dump {runtime}/a", "dump -", "dump - | head"
        usual, named, lines, filtered = ask(program, *commands)
    for refused in (usual, named):
        assert refused["done"] == 1
        assert "read-only" in refused["error"]
        assert refused["out"] == ""
    assert lines["done"] == 0
    assert lines["out"].startswith('{"schema":"asyncconsole/snapshot/1"')
    assert (filtered["done"], filtered["out"]) == (2, "")
    assert "can't be filtered" in filtered["error"]
