"""The timing of callbacks: in one process on every interpreter, and as people meet it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests import children
from tests.documents import validate
from tests.interpreters import INTERPRETERS, runs

TIMED = Path(__file__).with_name("timed.py")
QUIET = ("-W", "ignore::DeprecationWarning")  # of fork() beside threads, and of uvloop
CHECKS = (
    *(
        "callbacks",
        "steps",
        "rarely",
        "looked",
        "delays",
        "busy",
        "foreign",
        "lined_up",
        "weak",
        "bounded",
    ),
    *("traceback", "ignored", "two_loops", "many_threads", "forks"),
)

PROGRAM = """
    import asyncio, sys, time, asyncconsole

    ORIGINAL = asyncio.Handle._run

    def hog():
        time.sleep(0.03)

    async def quick():
        while True:
            await asyncio.sleep(0.001)

    async def main():
        tasks = [asyncio.create_task(quick(), name="quick")]
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        print(console.port, flush=True)
        while line := await reader.readline():
            for _ in range(int(line)):
                loop.call_soon(hog)
                await asyncio.sleep(0.002)
            print(asyncio.Handle._run is ORIGINAL, flush=True)

    console = asyncconsole.start(port=0OPTIONS)
    RUN(main())
    console.close()
    print(asyncio.Handle._run is ORIGINAL, flush=True)
"""


class Program:
    """A program with a console, whose loop runs as many slow callbacks as it is told."""

    def __init__(self, process):
        self._process = process
        self.port = process.stdout.readline().strip()

    def hogs(self, count):
        """Run that many; True when callbacks are not timed after them."""
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip() == "True"

    def ask(self, command, *options):
        return children.connect(self.port, command, options=options)

    def json(self, command):
        return validate(self.ask(command, "--json").stdout)

    def end(self):
        """Let it end; True when nothing of ours is left in it."""
        self._process.stdin.close()
        return self._process.stdout.readline().strip() == "True"


@pytest.fixture
def program(request, tmp_path):
    options, *loop = getattr(request, "param", ("",))
    start = "import uvloop; uvloop.run" if loop else "asyncio.run"
    path = tmp_path / "app.py"
    text = textwrap.dedent(PROGRAM).replace("OPTIONS", options).replace("RUN", start)
    path.write_text(text)
    with subprocess.Popen(
        [sys.executable, str(path)],
        env=children.ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Program(process)
        finally:
            process.kill()


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "debug", "eager"))
def test_in_one_process(python, kind):
    children.run(python, *QUIET, TIMED, kind, *CHECKS)


@pytest.mark.parametrize("python", INTERPRETERS)
def test_a_program_goes_on_whatever_its_callbacks_are(python):
    done = children.run(python, *QUIET, TIMED, "asyncio", "hostile", quiet=False)
    assert done.stderr.count("\n") == 1
    assert "timing callbacks failed and is off: AttributeError" in done.stderr


@pytest.mark.parametrize("python", INTERPRETERS)
def test_uvloop_is_not_timed(python):
    children.run(python, *QUIET, TIMED, "uvloop", "unmeasured")


def test_the_top_list_names_line_count_and_total(program):
    assert program.hogs(1)
    before = program.json("stalls --top")
    assert (before["on"], before["since"], before["callbacks"]) == (False, None, [])
    assert "probe on --polls" in program.ask("stalls --top").stdout
    assert program.json("where quick")["polls"] is None

    status = program.json("probe on --polls")
    assert (status["on"], status["polls"], status["slow"]) == (True, True, 0.01)
    assert not program.hogs(50)
    top = program.json("stalls --top")
    first = top["callbacks"][0]
    assert (first["kind"], first["function"], first["count"]) == ("callback", "hog", 50)
    assert (Path(first["file"]).name, first["line"]) == ("app.py", 6)
    assert first["total"] >= 1.5
    assert first["max"] >= 0.03
    assert sum(item["count"] for item in first["histogram"]) == 50
    assert {(seen["function"], seen["call"]) for seen in first["seen"]} == {("hog", "time.sleep")}
    shown = program.ask("stalls --top 1").stdout
    assert "app.py:6 hog" in shown
    assert "(a callback)" in shown

    polls = program.json("where quick")["polls"]
    assert polls["scheduling_delays"]["max"] >= 0.02
    assert polls["poll_times"]["count"] >= 50
    assert polls["busy"] < polls["scheduled"]
    shown = program.ask("where quick").stdout
    assert "ready but not run" in shown
    assert "each step took" in shown

    assert program.json("probe on --slow 0.2")["slow"] == 0.2
    program.hogs(3)
    assert program.json("stalls --top")["callbacks"] == []
    assert not program.json("probe off")["polls"]
    assert program.hogs(0)
    assert not program.json("probe on")["polls"]
    assert program.ask("probe --no-polls").returncode == 0


@pytest.mark.parametrize(
    "program", [(", polls=True",), (", polls=True, read_only=True",)], indirect=True
)
def test_closing_restores_what_start_has_patched(program):
    assert not program.hogs(3)
    callbacks = program.json("stalls --top")["callbacks"]
    assert [item["count"] for item in callbacks if item["function"] == "hog"] == [3]
    assert program.end()


@pytest.mark.parametrize("program", [(", read_only=True",)], indirect=True)
def test_a_read_only_console_times_nothing_on_request(program):
    assert program.ask("probe on --threshold 0.4").returncode == 0
    refused = program.ask("probe on --polls")
    assert refused.returncode == 1
    assert program.hogs(1)


@pytest.mark.parametrize("program", [("", "uvloop")], indirect=True)
def test_uvloop_is_said_not_to_be_timed(program):
    pytest.importorskip("uvloop")
    said = "loop 1 are not timed: uvloop"
    shown = program.ask("probe on --polls").stdout
    assert said in shown
    program.hogs(3)
    assert said in program.ask("stalls --top").stdout
    assert program.json("stalls --top")["loops_not_timed"] == [1]
    assert "not timed" in program.ask("where quick").stdout
    assert program.json("where quick")["polls"] is None


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("probe on --slow 0", "--slow takes seconds from 0.0001"),
        ("probe on --no-polls --slow 1", "not --no-polls"),
        ("probe off --polls", "probe on --polls"),
        ("stalls --top 0", "a number of places from 1"),
    ],
)
def test_bad_input_is_one_line_that_says_what_to_do(program, command, said):
    done = program.ask(command)
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_start_refuses_to_time_without_a_probe():
    source = "import asyncconsole; asyncconsole.start(polls=True, stall_threshold=0)"
    done = subprocess.run(
        [sys.executable, "-c", source],
        env=children.ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "leave stall_threshold=0 out" in done.stderr


def test_run_times_callbacks_when_told(tmp_path):
    script = tmp_path / "app.py"
    script.write_text("import asyncio\nprint(asyncio.Handle._run.__module__)\n")
    for options in ([], ["--polls"]):
        done = subprocess.run(
            [sys.executable, "-m", "asyncconsole", "run", "--port", "0", *options, str(script)],
            env=children.ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stdout.strip() == ("asyncconsole.stall.polls" if options else "asyncio.events")
