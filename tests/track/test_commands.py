"""Tracking as people meet it: `start`, `run`, and the commands, over the wire."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time

import pytest

from tests.children import ENVIRONMENT, connect

PROGRAM = """
    import asyncio, sys, asyncconsole

    A, B = asyncio.Lock(), asyncio.Lock()

    async def move(first, second):
        await first.acquire()
        try:
            await asyncio.sleep(0)
            await second.acquire()
        finally:
            first.release()

    async def boom():
        raise ValueError("no such account")

    async def main():
        await asyncio.gather(asyncio.create_task(boom(), name="boom"), return_exceptions=True)
        tasks = [asyncio.create_task(move(A, B), name="a"), asyncio.create_task(move(B, A), name="b")]
        await asyncio.sleep(0.01)
        print(console.port, flush=True)
        await asyncio.wait(tasks)

    console = asyncconsole.start(port=0, track_tasks=TASKS, track_locks=LOCKS)
    asyncio.run(main())
"""
LATE = """
    import asyncio, threading, weakref, asyncconsole

    console = asyncconsole.start(port=0, track_tasks=True, stall_threshold=0)
    print(console.port, flush=True)

    async def noop():
        await asyncio.sleep(0)

    async def later():
        await asyncio.Event().wait()

    async def main():
        task = asyncio.create_task(later(), name="later")
        everyone = weakref.WeakSet()
        rush = [asyncio.create_task(noop(), name=f"rush-{i}") for i in range(300)]
        everyone.update(rush)
        await asyncio.wait(rush)
        del rush
        while everyone:
            await asyncio.sleep(0.02)
        print("all gone", flush=True)
        await task

    asyncio.run(main())
"""


@pytest.fixture
def program(request, tmp_path):
    tasks, locks, *more = request.param
    path = tmp_path / "app.py"
    path.write_text(
        textwrap.dedent(PROGRAM)
        .replace("TASKS", str(tasks))
        .replace("LOCKS)", f"{locks}{more[0] if more else ''})")
    )
    with subprocess.Popen(
        [sys.executable, str(path)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        try:
            yield child.stdout.readline().strip()
        finally:
            child.kill()


def ask(port, *commands, options=()):
    done = connect(port, *commands, options=options)
    return done.returncode, done.stdout, done.stderr


def document(port, command):
    return json.loads(ask(port, command, options=("--json",))[1])


@pytest.mark.parametrize("program", [(True, True)], indirect=True)
def test_everything_that_was_recorded(program, valid):
    (finding,) = valid(document(program, "deadlocks"))["findings"]
    assert (finding["kind"], finding["proven"]) == ("lock_cycle", True)
    tasks = {task["name"]: task for task in valid(document(program, "ps"))["tasks"]}
    assert tasks["a"]["age"] > 0
    assert tasks["a"]["created"].endswith("Z")
    where = valid(document(program, "where a"))
    assert where["created_by"] == tasks["Task-1"]["id"]
    assert [frame["function"] for frame in where["creation"]] == ["main"]
    _, shown, _ = ask(program, "ps", "where a")
    assert "AGE" in shown
    assert "by Task-1" in shown
    (lock, _) = valid(document(program, "locks"))["resources"]
    assert lock["holders"][0]["how"] == "tracked"


@pytest.mark.parametrize("program", [(True, False)], indirect=True)
@pytest.mark.parametrize("alias", [True, False])
def test_ended_tasks(program, valid, alias):
    listed = valid(document(program, "pt" if alias else "ps-terminated"))
    assert listed["schema"] == "asyncconsole/terminated/1"
    (boom,) = [task for task in listed["tasks"] if task["name"] == "boom"]
    assert (boom["outcome"], boom["exception"]) == ("raised", "ValueError: no such account")
    assert boom["raised"]["function"] == "boom"
    assert boom["creator"] == "Task-1"
    _, shown, _ = ask(
        program, "pt --outcome raised", "wt boom" if alias else "where-terminated boom"
    )
    assert "ValueError: no such account" in shown
    assert "created " in shown
    code, _, complaint = ask(program, "wt nobody")
    assert code == 1
    assert "ps-terminated" in complaint


@pytest.mark.parametrize("program", [(False, False)], indirect=True)
def test_at_run_time(program, valid):
    status = valid(document(program, "track"))
    assert (status["tasks"], status["locks"]) == (False, False)
    _, shown, _ = ask(program, "ps", "pt")
    assert "AGE" not in shown
    assert "`track tasks on`" in shown
    assert document(program, "track tasks on --frames 7")["frames"] == 7
    status = document(program, "track locks on")
    assert (status["tasks"], status["locks"]) == (True, True)
    status = document(program, "track off")
    assert (status["tasks"], status["locks"]) == (False, False)
    for wrong in ("track tasks maybe", "track on off", "track tasks on --frames 0"):
        code, _, complaint = ask(program, wrong)
        assert code == 2, wrong
        assert complaint


@pytest.mark.parametrize(
    "program", [(True, True, ", read_only=True, stall_threshold=0")], indirect=True
)
def test_asking_is_allowed_where_changing_is_not(program, valid):
    for asks in ("track", "track status", "track tasks", "track locks status"):
        assert valid(document(program, asks))["tasks"] is True
    for changes in ("track on", "track locks off", "track tasks on --frames 3"):
        code, _, complaint = ask(program, changes)
        assert code == 1
        assert "read-only" in complaint


def test_without_the_probe_waits_still_get_their_age_and_rushes_their_end(tmp_path, valid):
    path = tmp_path / "app.py"
    path.write_text(textwrap.dedent(LATE))
    with subprocess.Popen(
        [sys.executable, str(path)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        try:
            port = child.stdout.readline().strip()
            assert child.stdout.readline().strip() == "all gone"
            end = time.monotonic() + 20
            while True:
                tasks = {task["name"]: task for task in valid(document(port, "ps"))["tasks"]}
                if (tasks["later"]["waiting"]["since"] or 0) >= 1:
                    break
                assert time.monotonic() < end, tasks["later"]
                time.sleep(0.2)
            assert tasks["later"]["age"] >= 1
            listed = valid(document(port, "pt rush"))
            assert {task["name"] for task in listed["tasks"]} == {f"rush-{i}" for i in range(300)}
            short = next(task["name"] for task in listed["tasks"] if not task["exact"])
            _, shown, _ = ask(port, f"pt {short}", f"wt {short}")
            assert shown.count("≤ ") >= 2
        finally:
            child.kill()


@pytest.mark.parametrize("switch", [[], ["--no-track"]])
def test_run_tracks_unless_told_not_to(tmp_path, switch):
    path = tmp_path / "app.py"
    path.write_text("import asyncio\nprint(asyncio.Lock.release.__module__)\n")
    done = subprocess.run(
        [sys.executable, "-m", "asyncconsole", "run", *switch, str(path)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == ("asyncio.locks" if switch else "asyncconsole.track.locks")
