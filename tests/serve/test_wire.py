"""The protocol of `connect`, spoken by hand (docs/wire.md)."""

import json
import re

import pytest

from asyncconsole.serve import wire


def hello(client, **said):
    client.send("ASYNCCONSOLE/1 " + json.dumps(said) + "\n")
    return client.message()


def say(client, **message):
    client.send(json.dumps(message) + "\n")


def outcome(client):
    """Output, error and exit code of a run."""
    text, error = "", ""
    while True:
        message = client.message()
        text += message.get("out", "")
        error += message.get("error", "")
        if "done" in message:
            return text, error, message["done"]


def test_runs_one_command_after_the_other(program):
    bank = program()
    client = bank.connect()
    assert hello(client, interactive=False)["hello"]["pid"] == bank.pid
    say(client, run="ps --json")
    say(client, run="bogus")
    say(client, run="cancel 999")
    text, error, code = outcome(client)
    assert json.loads(text)["total"] == 3
    assert (error, code) == ("", 0)
    text, error, code = outcome(client)
    assert text == ""
    assert error.startswith("No command `bogus`")
    assert code == 2
    assert outcome(client)[2] == 1


def test_output_of_any_size_comes_in_short_lines_and_one_piece(program):
    client = program(tasks=5000).connect_unix()
    hello(client)
    say(client, run="ps --json")
    text = ""
    while True:
        line = client.until(b"\n")
        assert len(line) <= 65536
        message = json.loads(line)
        if "done" in message:
            break
        text += message["out"]
    assert json.loads(text)["total"] == 5000


def test_a_command_that_takes_too_long_says_which_how_long_and_why(program):
    client = program(slow=60, blocked=True).connect()
    hello(client)
    say(client, run="ps", timeout=0.2)
    _, error, code = outcome(client)
    assert code == 4
    assert error == (
        "`ps` was not done after 0.2 s: loop 1 has been blocked for 4.1 s "
        "at ledger.py:88 read_ledger (time.sleep)."
    )


def test_a_command_that_was_kept_from_its_work_says_so(program):
    client = program(slow=60).connect()
    hello(client)
    say(client, run="ps", timeout=2)
    error = outcome(client)[1]
    assert re.fullmatch(
        r"`ps` was not done after 2 s: the program or the machine let it work for 0\.\d s only; "
        r"`asyncconsole connect --timeout 60` waits longer\.",
        error,
    ), error


def test_an_interrupt_ends_a_run(program):
    bank = program(slow=60)
    client = bank.connect()
    hello(client)
    say(client, run="ps")
    say(client, run="version")
    bank.looking()
    say(client, interrupt=True)
    assert outcome(client)[1:] == ("Interrupted.", 1)
    assert outcome(client)[2] == 0


def test_a_session(program):
    bank = program()
    client = bank.connect()
    hello(client, interactive=True, width=100, colour=True)
    while "prompt" not in (message := client.message()):
        assert "out" in message
    assert message == {"prompt": f"bank {bank.pid}> ", "python": False}
    say(client, complete="stac")
    assert client.message() == {"completions": ["stacktrace"], "replace": 4}
    say(client, complete="where task-")
    assert client.message()["completions"] == ["task-1", "task-2", "task-3"]
    say(client, line="ps")
    assert "\x1b[" in client.message()["out"]  # colour was asked for
    assert "prompt" in client.message()
    say(client, interrupt=True)
    assert "prompt" in client.message()
    say(client, eof=True)
    assert "out" in client.message()
    assert client.message() == {"bye": ""}
    assert client.rest() == ""


def test_python_prompts_are_marked(program):
    client = program().connect()
    hello(client, interactive=True)
    say(client, line="nonsense")
    say(client, line="exit")
    text = client.rest()
    assert "No command" in text
    assert text.rstrip().endswith('{"bye": ""}')


def test_an_interactive_command_needs_a_session(program):
    client = program().connect()
    hello(client)
    say(client, run="console")
    assert outcome(client)[2] == 2


@pytest.mark.parametrize(
    "line", ["ASYNCCONSOLE/1 \n", "ASYNCCONSOLE/1 [1]\n", "ASYNCCONSOLE/1 " + "[" * 60000 + "\n"]
)
def test_a_strange_hello_is_refused(program, line):
    client = program().connect()
    client.send(line)
    assert "no message of the wire" in client.message()["refused"]
    assert client.rest() == ""


@pytest.mark.parametrize("line", ["ps\n", "[]\n", "\xff\n", "{" + "x" * 70_000])
def test_strange_messages_end_the_session_in_one_line(program, line):
    client = program().connect()
    hello(client)
    client.send(line)
    assert client.message()["bye"]


def test_messages_of_the_wrong_types_are_passed_over(program):
    client = program().connect()
    hello(client, interactive="yes", width="wide", colour=None, token=5)
    for message in ({"width": -1}, {"width": "x"}, {"nothing": 1}, {"complete": 5}):
        say(client, **message)
    client.message()  # the prompt's banner
    say(client, line="ps")


def test_a_sane_timeout_or_none():
    for value in (float("nan"), float("inf"), -1, "5", None, 1e9):
        assert wire._seconds(value) is None
    assert wire._seconds(5) == 5.0
