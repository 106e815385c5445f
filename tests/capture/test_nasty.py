"""Programs that make it hard to say who holds what: nothing certain about them is wrong.

The same programs give the same holders and verdicts on every interpreter and kind of loop.
"""

from __future__ import annotations

import functools
import json
import os
import re
import sys

import pytest

from tests.children import tell
from tests.interpreters import INTERPRETERS, runs

CAUGHT_BY = {
    "uncertain_holders_are_believed": "lent_and_wanted_back",
    "timeouts_are_ignored": "a_timeout_further_out",
    "one_holder_is_all_holders": "a_permit_taken_by_acquire",
    "nothing_is_confirmed": "two_that_never_meet",
    "nobody_fails": "a_gather_whose_other_child_fails",
    "groups_never_cancel": "a_sibling_that_fails_later",
    "nobody_cancels": "a_watchdog_that_cancels",
    "all_are_needed": "the_first_of_two_is_enough",
    "subclasses_are_sound": "a_subclass_that_takes_only_later",
    "waiting_on_a_condition_keeps_its_lock": "a_condition_whose_lock_was_taken_by_acquire",
}
"""Ways to break the prover, and a program that shows it."""

LIKELY = {
    "released_by_another_task_and_taken_by_a_third": {"owner"},
    "a_thief_who_is_gone": {"owner"},
    "a_manager_that_unlocks_while_another_has_it": {"owner"},
    "a_stack_with_a_pushed_exit": {"owner"},
    "lent_and_wanted_back": {"owner"},
    "a_subclass_that_takes_only_later": {"inside"},
}
"""Programs of which something is shown as likely that isn't so; no proof rests on it."""


RUNS = runs("asyncio", "uvloop", "eager")


@functools.cache
def child(python, module, *arguments):
    timeout = 110 if "CHURN_READS" not in os.environ else 600
    return tell(python, "-m", f"tests.capture.{module}", *arguments, timeout=timeout)


def certain_errors(seen):
    """Facts and verdicts that the program itself contradicts."""
    wrong = []
    for held in seen["holders"]:
        if not set(held["certain"]) <= set(held["truth"]):
            wrong.append(held)
        if held["accounted"] and set(held["shown"]) != set(held["truth"]):
            wrong.append(held)
    for finding in seen["findings"]:
        proven = finding["verdict"] == "deadlock" and not seen["assumed"]
        if proven and not set(finding["stuck"]) <= set(seen["stuck"]):
            wrong.append(finding)
    return wrong


@pytest.mark.parametrize(("python", "kind"), RUNS)
def test_nothing_certain_is_wrong(python, kind):
    found = child(python, "nasty", kind)
    assert len(found) > 60
    for name, seen in found.items():
        assert certain_errors(seen) == [], name
        assert seen["gaps"] == [], name
        false = {who for held in seen["holders"] for who in set(held["shown"]) - set(held["truth"])}
        assert false == LIKELY.get(name, set()), name


@pytest.mark.parametrize(("python", "kind"), RUNS)
def test_what_is_stuck_is_proven(python, kind):
    found = child(python, "nasty", kind)
    for name in ("eager_tasks_that_block_at_once", "a_heartbeat_beside_a_deadlock"):
        if name in found:
            (finding,) = found[name]["findings"]
            assert (finding["verdict"], finding["stuck"]) == ("deadlock", found[name]["stuck"])
    (finding,) = found["a_decorator_that_locks_twice"]["findings"]
    assert (finding["verdict"], finding["kind"]) == ("deadlock", "self_deadlock")


@pytest.mark.parametrize(("python", "kind"), RUNS)
def test_every_interpreter_and_loop_says_the_same(python, kind):
    found = child(python, "nasty", kind)
    reference = child(sys.executable, "nasty", "asyncio")
    for name in found.keys() & reference.keys():
        if name != "held_by_a_task_of_a_closed_loop":  # 3.14 lists no tasks of closed loops
            assert normal(found[name]) == normal(reference[name]), name


def normal(seen):
    """Without the numbers of tasks, which follow the order in which they were first seen."""
    return re.sub(r" \(\d+\)", "", json.dumps(seen))


@pytest.mark.parametrize("mutant", CAUGHT_BY)
def test_a_broken_prover_is_caught(mutant):
    name = CAUGHT_BY[mutant]
    found = child(sys.executable, "nasty", "asyncio", mutant, name)
    assert certain_errors(found[name]) != []


def test_every_broken_prover_has_a_program():
    from tests.capture import mutants

    assert set(CAUGHT_BY) == set(mutants.MUTANTS)


@pytest.mark.parametrize("python", INTERPRETERS)
def test_loops_without_an_end(python):
    found = child(python, "loops_of_code")
    assert {name for name, endless in found.items() if endless} == {
        "beats",
        "beats_until",
        "takes_from_a_queue",
        "is_sent",
        "works_through_a_list_for_ever",
        "calls_one_that_beats",
    }
    assert len(found) == 13


@pytest.mark.parametrize(("python", "kind"), RUNS)
def test_reading_while_tasks_come_and_go(python, kind):
    """``CHURN_READS`` makes it longer; a million takes a minute or two."""
    reads = int(os.environ.get("CHURN_READS", "40000"))
    found = child(python, "churn", kind, str(reads))
    assert (found["raised"], found["logged"]) == ("", [])
    assert found["reads"] >= reads
    assert found["born"] > 1000
    assert found["held"] > 0


@pytest.mark.parametrize(("python", "kind"), runs("eager"))
def test_an_eager_task_that_has_ended_already(python, kind):
    """3.12.1 and earlier crash where its `get_coro` is called."""
    found = child(python, "at_once")
    assert found["name"] == "at once"
    assert found["result"] == "42"
    assert found["coro"] == "None" or "at_once" in found["coro"]


@pytest.mark.parametrize("python", INTERPRETERS)
def test_reading_where_an_exception_arrives(python):
    looked = child(python, "thrown")
    assert looked.keys() == {"coroutine", "generator", "async_generator"}
    assert all(looked.values())
