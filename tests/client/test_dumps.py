"""`dump`, `view` and `diff` on real programs, and on files that are no dumps."""

from __future__ import annotations

import dataclasses
import gzip
import json
import re
import stat
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from asyncconsole.client import dumps
from asyncconsole.client.main import main
from asyncconsole.client.wire import Manner
from asyncconsole.model import Stall, records, schema
from asyncconsole.model.recording import Recording
from tests.children import ENVIRONMENT
from tests.client.cli import COMMAND, client, complaint, document, environment
from tests.client.fake import Peer, Server, answering
from tests.client.test_dialogue import Person
from tests.client.test_end_to_end import running, until
from tests.documents import validate
from tests.model import made

if TYPE_CHECKING:
    from collections.abc import Iterator

SAME = (
    *("ps", "ps --group", "ps --waiting lock", "where transfer:a→b", "where 2 --all", "tree"),
    *("tree 1", "locks", "lock L1", "deadlocks", "loops", "stacktrace", "stalls", "probe"),
    *("track", "debug", "ps-terminated", "help", "doctor"),
)
"""Commands that answer alike on the living program and on its dump."""

TRIES = 5
ALSO = ("ps --json", "where 2 --json", "locks --json", "deadlocks --json", "tree --json")


def plain(text: str) -> str:
    """Text without what differs from one moment to the next, and the columns it makes."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "DATE", text)
    text = re.sub(r'("(?:since|due|age|pause|took|uptime|lag\w*)": )[\d.]+', r"\1N", text)
    text = re.sub(r"\d+(?:\.\d+)? (?:ms|s|min|h|µs)\b", "TIME", text)
    return re.sub(r"[ =]+", " ", text)


def deadlocked(runtime: Path) -> None:
    """Wait until the bank's transfers are, and the audit behind them."""
    asked = ("connect", "-c", "ps --waiting lock", "--json")
    # On a loaded machine a client says on stderr that it waits.
    until(lambda: len(json.loads(client(runtime, *asked).stdout or "{}").get("tasks", ())) == 3)


Here = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Here:
    """The command line in this process, which costs less than one of its own."""

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        code = main([str(word) for word in words])
        return subprocess.CompletedProcess(words, code, *capsys.readouterr())

    return run


def write(path: Path, lines: list[bytes]) -> Path:
    path.write_bytes(gzip.compress(b"".join(lines)))
    return path


def test_a_deadlocked_program_live_and_from_its_dump(tmp_path: Path) -> None:
    file = tmp_path / "bank.dump.gz"
    words = [word for line in (*SAME, *ALSO) for word in ("-c", line)]
    with running(tmp_path, "bank") as child:
        deadlocked(tmp_path)
        for attempt in range(TRIES):  # the heartbeat beats, and a loaded machine may stall the loop
            done = client(tmp_path, "dump", "-o", str(file), *["--force"] * (attempt > 0))
            assert done.returncode == 0, done
            assert re.match(rf"Wrote {file}: 5 tasks, \d+ primitives, \d findings?; ", done.stdout)
            live = client(tmp_path, "connect", str(child.pid), "--timeout", "60", *words)
            still = client(tmp_path, "view", str(file), *words)
            assert (still.returncode, still.stderr) == (0, "")
            was, now = plain(still.stdout).splitlines(), plain(live.stdout).splitlines()
            if was == now:
                break
    assert was == now
    assert "Proven: none can go on" in still.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    words = [word for line in ("doctor", "ps", "locks", "loops") for word in ("-c", line)]
    for line in client(tmp_path, "view", str(file), *words, "--json").stdout.splitlines():
        validate(line)
    rules = jsonschema.Draft202012Validator(schema.load("snapshot"))
    for line in gzip.decompress(file.read_bytes()).splitlines():
        rules.validate(json.loads(line))


LIVING = (
    *("cancel 1", "throw 1 ValueError", "resolve 1", "release L1", "diff 1", "dump -", "dump x"),
    *("locks --all", "probe off", "track on", "debug on", "console"),
)


def test_what_needs_a_living_program_says_so(tmp_path: Path, here: Here) -> None:
    file = write(tmp_path / "a.gz", made.lines(made.program(3)))
    words = [word for line in (*LIVING, "where nobody", "psx") for word in ("-c", line)]
    done = here("view", str(file), *words)
    assert (done.returncode, done.stdout) == (1, "")
    *refused, nobody, unknown = done.stderr.splitlines()
    assert len(refused) == len(LIVING)
    for line in refused:
        assert "needs a living program: this is a dump of app.py (pid 4242), taken at 2026" in line
    assert "No task `nobody`" in nobody
    assert "Did you mean `ps`?" in unknown


def test_a_dump_with_one_look_proves_nothing(tmp_path: Path, here: Here) -> None:
    file = write(tmp_path / "a.gz", made.lines(made.program(3)))
    done = here("view", str(file), "-c", "deadlocks")
    assert done.returncode == 0
    assert "a second look: there was one only" in done.stdout


def test_a_hostile_dump_moves_no_cursor(tmp_path: Path, here: Here) -> None:
    odd = made.program(2)
    seen = dataclasses.replace(odd.snapshot, program="\x1b]0;mine\x07.py", python="\x1b[2J")
    file = write(tmp_path / "a.gz", made.lines(dataclasses.replace(odd, snapshot=seen)))
    words = [word for line in ("version", "ps", "cancel 1") for word in ("-c", line)]
    done = here("view", str(file), *words)
    assert "\x1b" not in done.stdout + done.stderr
    with dumps.console(dumps.load(str(file)), Manner(interactive=True), str(file)) as wire:
        banner, prompt = wire.receive()["out"], wire.receive()["prompt"]
    assert "\x1b" not in banner + prompt
    assert "dump of pid 4242" in banner


def test_a_dump_with_values_that_make_no_sense(tmp_path: Path, here: Here) -> None:
    odd = made.program(2)
    stall = Stall(1, 1, "yesterday", float("nan"), False, "cpu_bound", None, "", None)
    seen = dataclasses.replace(odd.snapshot, stalls=(stall,))
    file = write(tmp_path / "a.gz", made.lines(dataclasses.replace(odd, snapshot=seen)))
    done = here("view", file, "-c", "doctor", "-c", "ps")
    assert done.returncode == 1
    assert "2 tasks" in done.stdout
    assert "That can't be told from this dump: ValueError: " in complaint(done)


def test_a_session_on_a_dump(tmp_path: Path) -> None:
    file = write(tmp_path / "a.gz", made.lines(made.program(3)))
    person = Person(["view", str(file)], tmp_path)
    person.sees("app dump of 4242>")
    assert "taken at 2026-01-01T00:00:00.000Z" in person.shown().replace("\n", "")
    person.types("where work:\t")
    person.sees("work:1")
    person.types("2\r")
    person.sees("main.py:10 main")
    person.types("cancel 2\r")
    person.sees("needs a living program")
    person.types("\x04")
    assert person.leaves() == 0


def sending(recording: Recording) -> Callable[[Peer, Server], None]:
    """A console that sends a dump when it is asked for one."""
    lines = [{"out": line.decode()} for line in made.lines(recording)]
    return answering({"dump -": [*lines, {"done": 0}]})


def test_stdin_and_stdout(tmp_path: Path) -> None:
    with Server(sending(made.program(5))) as server:
        done = subprocess.run(
            [*COMMAND, "dump", server.address, "-o", "-"],
            env=environment(tmp_path), capture_output=True, timeout=60, check=True,
        )  # fmt: skip
    assert done.stderr == b""
    seen = subprocess.run(
        [*COMMAND, "view", "-", "-c", "ps"], input=done.stdout,
        env=environment(tmp_path), capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    assert b"5 tasks" in seen.stdout
    script = client(tmp_path, "view", "-", stdin="ps\n")
    assert script.returncode == 2
    complaint(script)


def test_a_blocked_and_a_read_only_program(tmp_path: Path) -> None:
    with running(tmp_path, "ledger", "--read-only"):
        until(lambda: client(tmp_path, "check").returncode == 1)
        for words in (("dump",), ("dump", "--quick")):
            done = subprocess.run(
                [*COMMAND, *words],
                cwd=tmp_path, env=environment(tmp_path), capture_output=True,
                encoding="utf-8", timeout=60, check=True,
            )  # fmt: skip
        found = sorted(tmp_path.glob("ledger-*.dump.gz"))
        assert len(found) == 2
        refused = client(tmp_path, "connect", "-c", "dump")
        assert refused.returncode == 1
        assert "read-only" in refused.stderr
    done = client(tmp_path, "view", str(found[0]), "-c", "stalls", "-c", "doctor")
    assert "read_ledger" in done.stdout
    assert "stall" in done.stdout


def test_two_dumps(tmp_path: Path, here: Here) -> None:
    first, second = tmp_path / "1.gz", tmp_path / "2.gz"
    with running(tmp_path, "bank"):
        deadlocked(tmp_path)
        assert client(tmp_path, "dump", "-o", str(first)).returncode == 0
        assert client(tmp_path, "connect", "-c", "cancel transfer:b→a").returncode == 0
        until(lambda: "transfer" not in client(tmp_path, "connect", "-c", "ps").stdout)
        assert client(tmp_path, "dump", "-o", str(second)).returncode == 0
    found = validate(document(here("diff", str(first), str(second), "--json")))
    assert {task["name"] for task in found["gone"]} == {"transfer:a→b", "transfer:b→a"}
    passed = {lock["name"]: lock for lock in found["locks"]}
    assert passed["ACCOUNTS['bob']"]["before"][0]["name"] == "transfer:b→a"
    assert found["seconds"] > 0
    text = here("diff", str(first), str(second)).stdout
    assert "Gone: 2 tasks" in text
    assert "Changed hands: " in text
    assert "ACCOUNTS['bob']" in text
    same = here("diff", str(first), str(first)).stdout
    assert "4 tasks of 5 did not move" in same
    assert "transfer:a→b" in same
    done = here("diff", str(second), str(first))
    assert done.returncode == 2
    assert "earlier one first" in complaint(done)
    other = write(tmp_path / "3.gz", made.lines(made.program(2)))
    done = here("diff", str(first), str(other))
    assert done.returncode == 1
    assert "only dumps of one process" in complaint(done)


def test_a_file_is_not_written_over(tmp_path: Path, here: Here) -> None:
    file = tmp_path / "kept.gz"
    file.write_text("kept")
    with Server(sending(made.program(2))) as server:
        done = here("dump", server.address, "-o", str(file))
        assert done.returncode == 1
        assert "--force" in complaint(done)
        assert file.read_text() == "kept"
        done = here("dump", server.address, "-o", "/dev/null", "--force")
        assert done.returncode == 1
        complaint(done)
        assert here("dump", server.address, "-o", str(file), "--force").returncode == 0
        done = here("dump", server.address, "-o", str(tmp_path / "no" / "a.gz"))
        assert done.returncode == 1
        assert "No such file" in complaint(done)
    assert dumps.load(str(file)) == made.program(2)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ([{"error": "No command `dump`."}, {"done": 2}], 2),
        ([{"out": '{"schema": "asyncconsole/snapshot/1"}\n'}, {"done": 0}], 1),
        ([{"out": "hello\n"}, {"error": "`dump` was not done"}, {"done": 4}], 4),
        ([{"out": "[" * 5000}, {"done": 0}], 1),
    ],
)
def test_a_dump_that_does_not_come_leaves_nothing(
    tmp_path: Path, here: Here, answer: list[dict[str, Any]], code: int
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    with Server(answering({"dump -": answer})) as server:
        done = here("dump", server.address, "-o", str(folder / "a.gz"))
    assert done.returncode == code
    assert "no dump of" in complaint(done)
    assert list(folder.iterdir()) == []


def test_a_console_that_goes_in_the_midst_leaves_nothing(tmp_path: Path, here: Here) -> None:
    def serve(peer: Peer, server: Server) -> None:
        peer.greeted()
        peer.receive()
        peer.send({"out": made.lines(made.program(2))[0].decode()})

    with Server(serve) as server:
        done = here("dump", server.address, "-o", str(tmp_path / "a.gz"))
    assert done.returncode == 3
    complaint(done)
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


def test_the_consoles_words_are_no_path(
    tmp_path: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, *rest = made.lines(made.program(1))
    odd = {"program": "../../x y.py", "pid": "/etc/passwd", "taken_at": "../.."}
    lines = [json.dumps(json.loads(head) | odd) + "\n", *(line.decode() for line in rest)]
    answers = {"dump -": [*({"out": line} for line in lines), {"done": 0}]}
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    with Server(answering(answers)) as server:
        done = here("dump", server.address)
    assert (done.returncode, done.stderr) == (0, "")
    (file,) = folder.iterdir()
    assert file.name.endswith(".dump.gz")


def test_a_full_disk(tmp_path: Path) -> None:
    with (
        Server(sending(made.program(5_000))) as server,
        Path("/dev/full").open("wb") as full,
    ):
        done = subprocess.run(
            [*COMMAND, "dump", server.address, "-o", "-"],
            env=environment(tmp_path), stdout=full,
            stderr=subprocess.PIPE, encoding="utf-8", timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "asyncconsole: stdout: No space left on device.\n"


def bombs() -> Iterator[tuple[str, bytes]]:
    whole = b"".join(made.lines(made.program(50)))
    packed = gzip.compress(whole)
    yield "empty", b""
    yield "foreign", b"PK\x03\x04 not one of ours"
    yield "another document", b'{"schema": "asyncconsole/tasks/1", "tasks": []}\n'
    yield "newer", whole.replace(b"snapshot/1", b"snapshot/2", 1)
    yield "cut", packed[:-20]
    yield "cut early", packed[:40]
    yield "cut between lines", gzip.compress(whole[: whole.rindex(b'{"end"')])
    yield "damaged", packed[:200] + bytes(255 - byte for byte in packed[200:260]) + packed[260:]
    yield "two in one", packed + packed
    yield "nested", b"[" * 3_000_000
    for name, piece in (
        ("spaces", b" " * (1 << 20)),
        ("lists", b"[],[]," * (1 << 17)),
        ("records", b'{"growth":[1,2]}\n' * (1 << 16)),
    ):
        packer = zlib.compressobj(9, wbits=31)
        data = packer.compress(whole.splitlines(keepends=True)[0])
        data += b"".join(packer.compress(piece) for _ in range(20)) + packer.flush()
        assert len(data) < 200_000
        yield name, data


def test_files_that_are_no_dumps(
    tmp_path: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MOST_ITEMS", 1_000_000)
    for name, data in bombs():
        file = tmp_path / name.replace(" ", "-")
        file.write_bytes(data)
        with pytest.raises(dumps.DumpError, match=str(file)) as found:
            dumps.load(str(file))
        assert "\n" not in str(found.value)
        if name == "newer":
            assert "Install a newer asyncconsole" in str(found.value)
    for words in (("view", str(tmp_path / "cut"), "-c", "ps"), ("diff", str(tmp_path), str(file))):
        done = here(*words)
        assert (done.returncode, done.stdout) == (1, "")
        complaint(done)


LOAD = """
import sys
from pathlib import Path
from asyncconsole.client import dumps
from asyncconsole.client.main import main
from asyncconsole.client.wire import Manner
from asyncconsole.model import records

def peak():
    # Not getrusage(): that counts what the parent had when it forked.
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024

before = peak()
loaded = dumps.load(sys.argv[1])
print(len(loaded.snapshot.tasks), peak() - before)
"""


def test_memory_is_bounded_by_the_tasks(tmp_path: Path) -> None:
    """Some hundred bytes for each of 100,000 tasks, and never the text as a whole."""
    count = 100_000
    head, *rest, end = made.lines(made.program(1))
    task = next(line for line in rest if line.startswith(b'{"task"')).decode()
    form = task.replace("%", "%%").replace('"id":1', '"id":%d').replace("work:1", "work:%d")
    counts = json.loads(end)["end"] | {"task": count}
    file = tmp_path / "many.gz"
    with gzip.open(file, "wb", compresslevel=1) as out:
        out.write(b"".join([head, *(line for line in rest if line != task.encode())]))
        for number in range(count):
            out.write((form % (number, number)).encode())
        out.write(json.dumps({"end": counts}).encode())
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(file)],
        env=ENVIRONMENT, capture_output=True, encoding="utf-8", timeout=100, check=True,
    )  # fmt: skip
    tasks, taken = map(int, done.stdout.split())
    assert tasks == count
    assert taken / count < 2_000
