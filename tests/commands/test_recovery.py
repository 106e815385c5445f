"""Last resorts through the front door: `throw`, `resolve`, `release`, and await cycles let go."""

from __future__ import annotations

import socket

import pytest

from tests.interpreters import INTERPRETERS, runs

UVLOOPS = runs("asyncio", "uvloop", "python")


def started(program, python=None, *more):
    options = {"python": python} if python else {}
    found = program("resorts", *more, **options)
    found.until("ps", lambda document: document["total"] in {13, 14})
    return found


@pytest.fixture
def resorts(program):
    return started(program)


def names(program):
    return {task["name"] for task in program.json("ps")["tasks"]}


@pytest.mark.parametrize(("python", "kind"), UVLOOPS)
def test_an_exception_goes_into_each_kind_of_wait(program, python, kind, valid):
    resorts = started(program, python, kind)
    said = resorts.ask("throw in-context KeyError lost")
    assert said.startswith("Throwing KeyError('lost') into in-context")
    assert "goes on after" in said
    assert resorts.process.stdout.readline() == "caught 'lost' mine\n"
    document = valid(resorts.json("throw in-context asyncio.TimeoutError"))
    assert (document["outcome"], document["command"]) == ("raised", "throw")
    for name in ("timed", "reads", "family", "sleeps", "awaits"):
        found = valid(resorts.json(f"throw {name} OSError 'by hand'"))
        assert found["outcome"] == "raised", (name, found)
    left = names(resorts)
    assert not left & {"timed", "reads", "family", "sleeps", "awaits", "in-context"}
    assert {"child", "holds", "asks-1"} <= left
    # what wait_for ran in a task of its own (up to 3.11) has ended with it
    assert resorts.json("ps")["total"] == 7
    said = resorts.ask("throw holds RuntimeError")
    assert "that frees" in said
    assert "then queues" in said
    assert "queues" in said.splitlines()[-1]
    assert resorts.process.stdout.readline() == "the gate is mine\n"


@pytest.mark.parametrize(("python", "kind"), UVLOOPS)
def test_a_future_is_completed_by_hand(program, python, kind, valid):
    resorts = started(program, python, kind)
    said = resorts.ask("resolve asks-1 \"{'status': 200}\"")
    assert "The same future wakes asks-2" in said
    assert "asks-1" in said.splitlines()[-1]
    assert resorts.process.stdout.readline() == "1 got {'status': 200}\n"
    assert resorts.process.stdout.readline() == "2 got {'status': 200}\n"
    assert valid(resorts.json("resolve sleeps"))["outcome"] == "finished"
    assert resorts.process.stdout.readline() == "slept None\n"
    assert valid(resorts.json("resolve timed True"))["outcome"] == "finished"
    assert valid(resorts.json("resolve in-context"))["outcome"] == "goes_on"
    assert "looks again" in resorts.ask("resolve child")
    assert "child" in names(resorts)


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_a_lock_is_given_back_for_its_holder(program, python, kind, valid):
    resorts = started(program, python, kind)
    document = valid(resorts.json("release \"RESORTS['gate']\""))
    assert (document["outcome"], document["freed"][0]["name"]) == ("released", "RESORTS['gate']")
    assert "queues" in document["freed"][0]["then"]
    assert any("holds" in line for line in document["intent"])
    assert resorts.process.stdout.readline() == "the gate is mine\n"
    resorts.ask("release \"RESORTS['gate']\"")  # a semaphore gets one more permit each time
    locks = {item["type"]: item["name"] for item in resorts.json("locks --all")["resources"]}
    said = resorts.ask("release \"RESORTS['full']\"", code=1)
    assert "released too many times" in said
    assert "Condition" in locks
    assert "Released Condition" in resorts.ask(f'release "{locks["Condition"]}"')
    assert "returns" not in names(resorts)


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("throw reads SystemExit", 2, "not for a task"),
        ("throw reads KeyboardInterrupt", 2, "not for a task"),
        ("throw reads StopIteration", 2, "not for a task"),
        ("throw reads asyncio.CancelledError", 2, "use `cancel`"),
        ("throw reads Nonsense", 2, "`Nonsense` is no exception"),
        ("throw reads print", 2, "`print` is no exception"),
        ("throw reads not.loaded.Error", 2, "has loaded no module `not.loaded`"),
        ("throw reads OSError --wait 61", 2, "seconds from 0 to 60"),
        ("throw nobody OSError", 1, "No task `nobody`"),
        ("throw returns OSError", 1, "on its way out of Condition.wait()"),
        ("resolve queues", 1, "Use `release L"),
        ("resolve family", 1, "waits for child"),
        ("resolve awaits", 1, "waits for holds"),
        ("resolve asks-1 {", 2, "no Python literal"),
        ("resolve asks-1 text", 2, "Quote text twice"),
        ("release L999", 1, "No lock `L999`"),
        ("release \"LOCKS['alice']\"", 1, "nothing to release"),
        ("diff 0", 2, "seconds from 0.05"),
        ("diff nan", 2, "seconds from 0.05"),
        ("diff 100", 2, "--timeout 110"),
    ],
)
def test_what_can_not_be_done_is_refused_in_one_line(resorts, line, code, words):
    resorts.json("locks --all")
    resorts.ask(line, code=code)
    assert words in resorts.complaint
    assert resorts.complaint.count("\n") == 1
    assert "ran:" not in resorts.complaint


def test_an_exception_that_can_not_be_made(resorts):
    said = resorts.ask("throw reads UnicodeDecodeError x", code=1)
    assert "Nothing was done: UnicodeDecodeError can't be made" in said
    assert "reads" in names(resorts)


@pytest.mark.skipif(not hasattr(__import__("asyncio"), "TaskGroup"), reason="3.11 and later")
def test_a_task_group_is_not_left_behind(program):
    found = program("grouped")
    found.until("ps", lambda document: document["total"] == 3)
    found.ask("throw parent OSError", code=1)
    assert "waits for the tasks of its TaskGroup" in found.complaint
    assert found.json("throw child OSError")["outcome"] == "raised"
    found.until("ps", lambda document: document["total"] == 1)


@pytest.mark.parametrize("python", INTERPRETERS)
def test_a_blocked_loop_is_said_and_the_request_is_taken_back(program, python, valid):
    ledger = program("stalled", python=python)
    ledger.until("stalls", lambda found: found["stalls"])
    document = valid(ledger.json("throw holds OSError --wait 0.2", code=1))
    assert document["outcome"] == "blocked"
    assert "read_ledger" in document["detail"]
    said = ledger.ask("resolve holds --wait 0.2", code=1)
    assert "took the request back" in said
    document = valid(ledger.json("release \"LOCKS['alice']\" --wait 0.2", code=1))
    assert document["outcome"] == "blocked"
    assert valid(ledger.json("diff 0.2"))["total"] == 3
    ledger.ask("throw nightly OSError", code=1)
    assert "is running, not suspended" in ledger.complaint


def test_a_read_only_console_refuses(program):
    resorts = started(program, None, "asyncio", "read-only")
    for line in (
        "throw reads OSError",
        "resolve asks-1",
        "release L1",
        "throw reads OSError --yes",
    ):
        resorts.ask(line, code=1)
        assert "read-only" in resorts.complaint
    assert "reads" in names(resorts)


class Session:
    """A person at `nc`."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.sendall(b"\n")
        self.until("> ")

    def until(self, words):
        found = b""
        while words.encode() not in found:
            piece = self.socket.recv(4096)
            assert piece, found
            found += piece
        return found.decode()

    def type(self, line, words="> "):
        self.socket.sendall(f"{line}\n".encode())
        return self.until(words)


def test_a_person_is_asked_first(resorts):
    session = Session(resorts.port)
    said = session.type("throw holds RuntimeError", "[y/N] ")
    assert "Throwing RuntimeError into holds" in said
    assert "that frees" in said
    assert "Nothing was done." in session.type("n")
    assert "holds" in names(resorts)
    session.type("throw holds RuntimeError", "[y/N] ")
    assert "Nothing was done." in session.type("")
    session.type("throw holds RuntimeError", "[y/N] ")
    resorts.ask("throw reads ValueError")  # others may act meanwhile
    said = session.type("y")
    assert "ended with it" in said
    assert "Throwing" not in said
    said = session.type("resolve asks-1 --yes")
    assert "[y/N]" not in said
    assert "asks-1" in said
    session.type("throw in-context KeyError", "[y/N] ")
    resorts.ask("resolve in-context")
    assert "has gone on meanwhile" in session.type("yes")
    session.socket.close()


def test_the_program_s_log_says_who_did_it(resorts):
    resorts.ask("throw reads OSError 'by hand'")
    assert "ran: throw reads OSError 'by hand'" in resorts.process.stderr.readline()


@pytest.mark.parametrize(("python", "kind"), runs("asyncio", "uvloop"))
def test_await_cycles_of_every_shape_can_be_cancelled(program, python, kind):
    rings = program("rings", kind, python=python)
    rings.until("ps", lambda document: document["total"] >= 10)
    for name in ("plain-plain-plain:1", "plain-together:0", "plain-shielded:1", "plain-either:1"):
        (outcome,) = rings.json(f"cancel {name}")["outcomes"]
        assert outcome["outcome"] == "cancelled", (name, outcome)
    left = rings.until("ps", lambda document: document["total"] <= 2)
    assert not {task["name"] for task in left["tasks"] if ":" in task["name"]}


def test_what_has_not_moved(program, valid):
    changing = program("changing")
    changing.until("ps", lambda document: document["total"] >= 8)
    document = changing.until("diff 1", lambda found: found["appeared"] and found["ended"])
    valid(document)
    (group,) = [found for found in document["groups"] if found["coro"].endswith("waits_for_lock")]
    assert (group["count"], group["waiting"]["name"]) == (2, "LOCKS['alice']")
    assert {found["coro"] for found in document["groups"]} >= {"changing"}
    shown = {task["name"] for found in document["groups"] for task in found["tasks"]}
    assert not shown & {"reads", "sleeps", "idle", "heartbeat", "short"}
    assert document["moved"] >= 1
    assert document["idle"] == 3
    everything = {
        task["name"] for found in changing.json("diff 1 --all")["groups"] for task in found["tasks"]
    }
    assert {"reads", "sleeps", "idle", "stuck:1"} <= everything
    said = changing.ask("diff 0.5")
    assert "stuck:1" in said
    assert "3 tasks that only wait for a timer, server or socket" in said
