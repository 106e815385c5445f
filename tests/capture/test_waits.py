"""What tasks wait for, in every way asyncio offers, on every interpreter and kind of loop."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.children import run
from tests.documents import validate
from tests.interpreters import runs

PROGRAM = Path(__file__).with_name("waits_child.py")
LINES = PROGRAM.read_text().splitlines()


RUNS = [
    pytest.param((*run.values, run.id.partition("-")[0]), id=run.id)
    for run in runs("asyncio", "uvloop", "python", "subclass", "debug", "eager")
]


@pytest.fixture(scope="module", params=RUNS)
def seen(request, tmp_path_factory):
    python, kind, version = request.param
    folder = tmp_path_factory.mktemp("waits")
    wanted = SCENARIOS if kind == "asyncio" else SCENARIOS - {"deep"}  # dear, and the same
    run(python, PROGRAM, kind, folder, *sorted(wanted))
    found = {path.stem: json.loads(path.read_text()) for path in folder.iterdir()}
    return Seen(found, kind, tuple(map(int, version.split("."))))


class Seen:
    """What the child saw, by scenario."""

    def __init__(self, found, kind, version):
        self.found = found
        self.kind = kind
        self.version = version

    @property
    def current_task_works(self):
        """Since 3.14 ``current_task()`` knows no tasks written in Python: no timeouts there."""
        return self.kind != "python" or self.version < (3, 14)

    def tasks(self, scenario):
        return {task["name"]: task for task in self.found[scenario]["snapshot"]["tasks"]}

    def wait(self, scenario, name):
        wait = self.tasks(scenario)[name]["wait"]
        return wait["kind"], wait["name"]

    def details(self, scenario, name):
        return dict(self.tasks(scenario)[name]["wait"]["details"])

    def names(self, scenario, numbers):
        by_number = {task["id"]: name for name, task in self.tasks(scenario).items()}
        return sorted(by_number[number] for number in numbers)

    def text(self, scenario, command):
        return self.found[scenario]["texts"][command]

    def facts(self, scenario):
        return self.found[scenario]["facts"]


SCENARIOS = {
    "stacks", "deep", "shared", "groups", "executors", "threadsafe", "other_loop", "streams",
    "processes", "timers", "shutdown",
}  # fmt: skip


def test_every_scenario_was_seen_and_none_is_a_finding(seen):
    assert set(seen.found) >= SCENARIOS - {"deep"}
    for name, found in seen.found.items():
        assert found["findings"] == [], name
        assert found["snapshot"]["gaps"] == [], name


def test_documents_are_valid(seen):
    for found in seen.found.values():
        for document in found["documents"].values():
            validate(document)


STACKS = {
    "generator_based": ["generator_based", "by_generator", "plain", "for_ever"],
    "iterate": ["iterate", "two_steps", "rows", "for_ever"],
    "by_asend": ["by_asend", "rows", "for_ever"],
    "by_athrow": ["by_athrow", "thrown", "for_ever"],
    "by_aclose": ["by_aclose", "slow_to_close", "for_ever"],
    "by_anext": ["by_anext", "rows", "for_ever"],
    "by_anext_default": ["by_anext_default", "rows", "for_ever"],
    "by_awaitable": ["by_awaitable", "__await__", "plain", "for_ever"],
    "by_passing": ["by_passing", "plain", "for_ever"],
    "by_foreign": ["by_foreign", "Foreign"],
    "by_steps": ["by_steps", "Steps"],
}


@pytest.mark.parametrize("name", STACKS)
def test_stacks_go_through_every_awaitable(seen, name):
    task = seen.tasks("stacks")[name]
    frames = [
        frame["function"].rpartition(".")[2]
        for frame in task["frames"]
        if frame["own"] or frame["kind"] == "object"
    ]
    assert frames == STACKS[name]
    assert task["wait"]["kind"] == "future"


def test_a_chain_of_thousands(seen):
    if seen.kind != "asyncio":
        pytest.skip("dear, and the same for every kind")
    tasks = seen.tasks("deep")
    levels = [frame for frame in tasks["deep"]["frames"] if frame["function"] == "level"]
    assert len(levels) == 5001
    assert tasks["deep"]["frames"][5001]["function"] == "for_ever"
    told = seen.text("deep", "where deep")
    assert "… the same 4996 times more" in told
    assert len(told.splitlines()) < 20
    tree = seen.text("deep", "tree").splitlines()
    assert "follow-4999" in tree[2] or any("follow-4999" in line for line in tree[:5])
    assert len(tree) <= 2002
    assert seen.names("deep", tasks["follow-7"]["wait"]["tasks"]) == ["follow-6"]


def test_shared_branches_are_walked_once(seen):
    tasks = seen.tasks("shared")
    assert seen.names("shared", tasks["39-a"]["wait"]["tasks"]) == ["38-a", "38-b"]
    tree = seen.text("shared", "tree").splitlines()
    assert 80 <= len(tree) <= 200
    nested = tasks["nested"]["wait"]
    assert (nested["kind"], nested["pending"]) == ("gather", 2)
    assert seen.names("shared", nested["tasks"]) == ["leaf-a", "leaf-b"]


def test_groups_of_tasks(seen):
    tasks = seen.tasks("groups")
    children = ["child-0", "child-1", "child-2"]

    def needed(name):
        return seen.names("groups", tasks[name]["wait"]["tasks"])

    assert seen.wait("groups", "as_completed") == ("as_completed", "as_completed, the next of 3")
    assert needed("as_completed") == children
    assert tasks["as_completed"]["wait"]["needs"] == "any"
    assert 0 < tasks["as_completed-timeout"]["wait"]["due"] <= 1000
    assert tasks["as_completed"]["wait"]["due"] is None
    assert seen.wait("groups", "shield") == ("shield", "shielded task child-0")
    assert needed("wait") == children
    assert tasks["wait"]["wait"]["needs"] == "any"
    assert 0 < tasks["wait"]["wait"]["due"] <= 1000
    if seen.current_task_works:
        timed = tasks["wait_for"]
        assert 0 < (timed["deadline"] or timed["wait"]["due"]) <= 1000
    apart = tasks["apart-inner"]["wait"]
    assert apart["kind"] == "as_completed"
    assert apart["opaque"] or seen.names("groups", apart["tasks"]) == ["child-0"]
    text = seen.text("groups", "where as_completed")
    assert "needs any of 3 tasks: " in text
    if seen.version >= (3, 11):
        assert tasks["barrier"]["wait"]["kind"] == "barrier"
    if seen.version >= (3, 11) and seen.current_task_works:
        assert needed("task_group") == ["group-child"]
        assert 0 < tasks["timeout"]["deadline"] <= 1000
        assert "a timeout in force ends this in" in seen.text("groups", "where timeout")
    if seen.version >= (3, 13):
        assert needed("as_completed-async") == children


def test_a_single_wait_continues_the_stack(seen):
    text = seen.text("groups", "where shield")
    assert "child-0 (" in text
    assert "for_ever" in text
    document = seen.found["groups"]["documents"]["where shield"]
    (other,) = document["through"]
    assert other["name"] == "child-0"
    assert other["stack"][-1]["function"].endswith("for_ever")


def test_jobs_are_linked_to_their_threads(seen):
    kind, phrase = seen.wait("executors", "first")
    assert kind == "executor"
    assert phrase.startswith("job work in thread small_0, at waits_child.py:")
    line = int(phrase.split(":")[1].split()[0])
    assert "gate.wait(60)" in LINES[line - 1]
    threads = {item["ident"]: item for item in seen.found["executors"]["snapshot"]["threads"]}
    task = seen.tasks("executors")["first"]
    worker = threads[task["wait"]["thread"]]
    assert worker["name"] == "small_0"
    assert worker["works_for"] == [task["id"]]
    assert any(frame["function"] == "work" for frame in worker["frames"])
    assert "the job's thread, small_0:" in seen.text("executors", "where first")
    assert seen.wait("executors", "to_thread")[1].startswith("job work in thread ")
    assert f"runs a job that task first ({task['id']}) waits for" in seen.text(
        "executors", "stacktrace"
    )


def test_jobs_that_have_not_started_know_their_place(seen):
    for name, place in (("second", 0), ("third", 1)):
        details = seen.details("executors", name)
        assert details == {"jobs before it": place, "threads": 1, "threads busy": 1}
        said = f"job work, not started: {place} before it, 1 of 1 threads busy"
        assert seen.wait("executors", name) == ("executor", said)
    assert seen.details("executors", "several") == {"jobs in threads": 2, "jobs running": 0}


def test_threads_that_wait_for_tasks(seen):
    tasks = seen.tasks("threadsafe")
    threads = {item["name"]: item for item in seen.found["threadsafe"]["snapshot"]["threads"]}
    caller = threads["caller"]
    (asked,) = [task for task in tasks.values() if task["id"] in caller["waits_for"]]
    assert asked["frames"][-1]["function"].endswith("asked")
    assert asked["threads"] == [caller["ident"]]
    assert caller["timeout"] is None
    text = seen.text("threadsafe", f"where {asked['name']}")
    assert "thread caller waits for it in waits_child.py:" in text
    assert f"stands still until task {asked['name']} ({asked['id']}) ends" in seen.text(
        "threadsafe", "stacktrace"
    )
    # a job that waits for its own waiter's loop: nothing false is said of it
    reentrant = tasks["reentrant"]
    (worker,) = [item for item in threads.values() if item["works_for"] == [reentrant["id"]]]
    (number,) = worker["waits_for"]
    assert reentrant["wait"]["name"].endswith(f"which waits for task {number}")
    assert worker["timeout"] == 1000


def test_a_task_of_another_loop(seen):
    tasks = seen.tasks("other_loop")
    near = tasks["near"]["wait"]
    (far,) = [task for task in tasks.values() if task["id"] in near["tasks"]]
    assert far["loop"] != tasks["near"]["loop"]
    assert far["awaited_by"] == [tasks["near"]["id"]]
    assert (near["needs"], near["opaque"]) == ("all", False)


def test_streams_and_sockets(seen):
    facts = seen.facts("streams")
    peer = f"127.0.0.1:{facts['port']}"
    said = f"data from {peer} (readline), 11 bytes buffered"
    assert seen.wait("streams", "readline") == ("stream", said)
    assert seen.details("streams", "readline")["peer"] == peer
    kind, phrase = seen.wait("streams", "drain")
    assert kind == "stream"
    assert phrase.startswith(f"{peer} to take data (drain), ")
    assert seen.details("streams", "drain")["unsent"] > 0
    assert seen.wait("streams", "recv") == ("socket", f"socket {peer} (sock_recv)")
    assert seen.details("streams", "recv") == {"fd": facts["raw"], "peer": peer}
    assert seen.wait("streams", "accept") == ("socket", f"a connection on {peer} (sock_accept)")
    assert seen.wait("streams", "unnamed")[0] == "socket"
    innermost = seen.tasks("streams")["recv"]["frames"][-1]  # with uvloop: compiled by Cython
    assert innermost["function"].endswith("sock_recv")
    assert not innermost["own"]
    kind, phrase = seen.wait("streams", "server")
    assert kind == "server"
    if seen.kind != "uvloop":
        assert phrase == f"connections on 127.0.0.1:{facts['server']} (serves for ever)"


def test_child_processes(seen):
    facts = seen.facts("processes")
    said = f"child process {facts['silent']} to end"
    assert seen.wait("processes", "wait") == ("subprocess", said)
    kind, phrase = seen.wait("processes", "communicate")
    assert kind == "gather"
    assert phrase == f"communicate with child process {facts['mute']}, 1 pipe left"
    kind, phrase = seen.wait("processes", "read")
    assert kind == "stream"
    if seen.kind != "uvloop":
        assert phrase == f"data from stdout of child process {facts['talking']} (readline)"


def test_timers_and_signals(seen):
    assert seen.wait("timers", "sleep")[0] == "timer"
    assert 0 < seen.tasks("timers")["sleep"]["wait"]["due"] <= 1000
    assert seen.wait("timers", "signal")[0] == "event"
    if seen.kind != "uvloop":
        assert seen.details("timers", "signal") == {"ended by signal": "SIGTERM"}


def test_the_end_of_a_runner(seen):
    if not seen.current_task_works:
        return
    kind, phrase = seen.wait("shutdown", "shutdown")
    assert kind == "executor"
    assert phrase.endswith("of the loop's default executor to end")
    if seen.kind != "uvloop":
        assert phrase.startswith("1 thread ")
