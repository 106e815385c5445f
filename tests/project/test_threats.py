"""The threat model: what it names exists, and what it says of commands is so."""

import ast
import asyncio
import re
import sys
from functools import cache

import pytest

from asyncconsole.commands import dispatch
from asyncconsole.model import UsageError
from asyncconsole.render.width import clean
from asyncconsole.serve.perform import Person, perform
from asyncconsole.serve.rules import Rules
from tests.interpreters import CHECKOUT

TEXT = (CHECKOUT / "docs" / "security.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py::\w+)`", TEXT)))
SECTION = TEXT.partition("\n## Threats\n")[2].partition("\n## ")[0]
THREATS = [line for line in SECTION.splitlines() if line.startswith("|")][2:]


@cache
def functions(path):
    tree = ast.parse((CHECKOUT / path).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", NAMED)
def test_each_proof_is_a_test_of_the_suite(name):
    path, _, function = name.partition("::")
    assert function.startswith("test_")
    assert function in functions(path)


def test_each_threat_has_a_defence_and_a_proof():
    assert len(THREATS) > 20
    for line in THREATS:
        _threat, defence, proof = line.strip("|").split("|")
        assert defence.strip(), line
        assert "::test_" in proof, line


class Terminal:
    interactive = True
    colour = False
    width = 80


class Untouchable:
    """A program of which nothing may be used."""


def typed(command):
    """Lines that the command may understand."""
    words = []
    for action in command.parser()._actions:
        if not action.option_strings and action.nargs not in ("?", "*"):
            words.append(str(next(iter(action.choices))) if action.choices else "1")
    line = " ".join([command.name, *words])
    return [
        line,
        *(f"{line} {more}" for more in ("on", "off", "locks on", "on --polls", "--slow 1")),
    ]


def changes(line):
    try:
        return dispatch.parse(line).changes
    except UsageError:
        return False


WRITES = [name for name, command in dispatch.catalogue().items() if command.effect == "write"]


@pytest.mark.parametrize("name", WRITES)
def test_a_read_only_console_refuses_every_command_that_changes_the_program(name):
    command = dispatch.catalogue()[name]
    lines = [line for line in typed(command) if changes(line)]
    assert lines

    async def refused(line):
        person = Person("a test", Terminal(), asyncio.Event(), None)
        return await perform(line, Untouchable(), person, Rules(read_only=True))

    for each in (command.name, *command.aliases):
        for line in lines:
            answer = asyncio.run(refused(line.replace(name, each, 1)))
            assert "this console is read-only" in answer.error, answer
            assert answer.code == 1


def test_the_table_of_effects_says_what_consoles_do(monkeypatch):
    monkeypatch.syspath_prepend(str(CHECKOUT / "docs" / "_ext"))
    import console_commands

    monkeypatch.delitem(sys.modules, "console_commands")
    assert "```{console-effects}" in TEXT
    for command in dispatch.catalogue().values():
        does = console_commands.effect(command)
        assert console_commands.READ_ONLY[does]
        assert (does == "looks") == (command.effect == "read")
    effects = {name: console_commands.effect(dispatch.find(name)) for name in ("ps", "cancel")}
    assert effects == {"ps": "looks", "cancel": "changes the program"}
    assert console_commands.effect(dispatch.find("console")) == "runs code in the program"
    assert "with some arguments" in console_commands.effect(dispatch.find("probe"))


def test_names_of_the_program_send_no_escape_codes():
    for code in (*range(32), *range(127, 160), 0x200B, 0x202E, 0x2066, 0xFEFF, 0xDC80):
        shown = clean(f"a{chr(code)}b")
        assert shown.isprintable()
        assert shown.encode()
