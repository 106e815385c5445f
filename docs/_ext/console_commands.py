"""Directives `console-commands` and `console-effects`: of every command, read from the code."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from asyncconsole.commands.dispatch import catalogue
from asyncconsole.model import UsageError

if TYPE_CHECKING:
    from argparse import Action

    from sphinx.application import Sphinx

    from asyncconsole.commands.command import Command

NOT_SHOWN = {"--json"}
"""Options that every command has; the page says so once."""


class ConsoleCommands(SphinxDirective):
    """One section per command, under the headings of ``help``."""

    def run(self) -> list[nodes.Node]:
        """Sections of definition lists; they follow the code, so no page can be out of date."""
        self.env.note_reread()  # no file tells Sphinx that a command is new
        commands = sorted(catalogue().values(), key=lambda command: (command.group, command.name))
        found: list[nodes.Node] = []
        for group, members in groupby(commands, key=lambda command: command.group):
            section = nodes.section(ids=[f"group-{nodes.make_id(group)}"])
            section += nodes.title(text=group.capitalize())
            section += [self._entry(command) for command in members]
            found.append(section)
        return found

    def _entry(self, command: Command) -> nodes.section:
        section = nodes.section(ids=[f"command-{nodes.make_id(command.name)}"])
        title = nodes.title()
        title += nodes.literal(text=command.name)
        section += title
        section += _prose(command.summary)
        parser = command.parser()
        usage = parser.format_usage().removeprefix("usage: ").strip()
        block = nodes.literal_block(text=" ".join(usage.split()))
        block["language"] = "text"
        section += block
        if facts := _facts(command):
            section += nodes.paragraph(text=facts)
        actions = [
            action
            for action in parser._actions  # noqa: SLF001 - argparse has no public list of options
            if not NOT_SHOWN & set(action.option_strings)
        ]
        if actions:
            section += _options(actions)
        if command.examples:
            section += nodes.paragraph(text="For instance:")
            examples = nodes.literal_block(text="\n".join(command.examples))
            examples["language"] = "text"
            section += examples
        return section


READ_ONLY = {
    "looks": "serves it",
    "looks; with some arguments it changes the program": "serves it, but not with those",
    "changes the program": "refuses it",
    "runs code in the program": "refuses it, as does `repl=False`",
}
"""What a command may do, and what a read-only console makes of it."""


def effect(command: Command) -> str:
    """What a command may do, as a key of `READ_ONLY`."""
    if command.effect == "read":
        return "looks"
    if command.name == "console":
        return "runs code in the program"
    try:
        looks = command.asks(command.parse([]))
    except UsageError:  # it wants arguments
        looks = False
    return "looks; with some arguments it changes the program" if looks else "changes the program"


class ConsoleEffects(SphinxDirective):
    """A table of what each command does to the program."""

    def run(self) -> list[nodes.Node]:
        """It follows the code, so no page can be out of date."""
        self.env.note_reread()  # no file tells Sphinx that a command is new
        rows = [("command", "what it does", "a read-only console")]
        for command in catalogue().values():
            does = effect(command)
            rows.append((f"`{command.name}`", does, READ_ONLY[does]))
        group = nodes.tgroup(cols=3)
        group += [nodes.colspec(colwidth=1) for _ in range(3)]
        head, body = nodes.thead(), nodes.tbody()
        for number, cells in enumerate(rows):
            row = nodes.row()
            row += [nodes.entry("", _prose(cell)) for cell in cells]
            (body if number else head).append(row)
        group += [head, body]
        table = nodes.table()
        table += group
        return [table]


def _prose(text: str) -> nodes.paragraph:
    """A paragraph in which `words between backticks` are literal."""
    found = nodes.paragraph()
    for index, piece in enumerate(text.split("`")):
        found += nodes.literal(text=piece) if index % 2 else nodes.Text(piece)
    return found


def _facts(command: Command) -> str:
    facts = []
    if command.aliases:
        facts.append("Also " + ", ".join(command.aliases) + ".")
    if command.effect == "write":
        facts.append("Changes the program; a read-only console refuses it.")
    return " ".join(facts)


def _options(actions: list[Action]) -> nodes.definition_list:
    found = nodes.definition_list()
    for action in actions:
        item = nodes.definition_list_item()
        term = nodes.term()
        term += nodes.literal(text=_spelling(action))
        item += term
        item += nodes.definition("", _prose(action.help or ""))
        found += item
    return found


def _spelling(action: Action) -> str:
    value = action.metavar or (
        "{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper()
    )
    if not action.option_strings:
        return str(value)
    names = ", ".join(action.option_strings)
    return names if action.nargs == 0 else f"{names} {value}"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("console-commands", ConsoleCommands)
    app.add_directive("console-effects", ConsoleEffects)
    return {"parallel_read_safe": True}
