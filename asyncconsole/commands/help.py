"""``help``: the commands, or one of them."""

from __future__ import annotations

import argparse

from asyncconsole.commands.command import Command
from asyncconsole.commands.filters import helped
from asyncconsole.commands.port import Target
from asyncconsole.model import Line, Result, Text, line

_GROUPS = {
    "look": "Look",
    "act": "Act (changes the program)",
    "own": "The program's own",
    "console": "Console",
}


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("command", nargs="?", metavar="COMMAND")


async def _run(_target: Target, options: argparse.Namespace) -> Result:
    # dispatch lists the commands, this one among them: it can't be imported above.
    from asyncconsole.commands.dispatch import catalogue, find  # noqa: PLC0415
    from asyncconsole.own import adapter  # noqa: PLC0415 - as above

    if options.command:
        command = find(options.command)
        lines = _one(command)
        commands = [command]
    else:
        commands = [*catalogue().values(), *adapter.commands().values()]
        lines = _all(commands)
    document = {
        "schema": "asyncconsole/help/1",
        "commands": [
            {
                "name": command.name,
                "aliases": list(command.aliases),
                "summary": command.summary,
                "effect": command.effect,
                "usage": usage(command),
            }
            for command in commands
        ],
    }
    return Result(document, (Text(tuple(lines)),))


def usage(command: Command) -> str:
    """One line: the command and what it takes."""
    text = command.parser().format_usage().removeprefix("usage: ")
    return " ".join(text.split())


def _all(commands: list[Command]) -> list[Line]:
    width = max(len(", ".join((c.name, *c.aliases))) for c in commands)
    lines: list[Line] = []
    for group, title in _GROUPS.items():
        members = [command for command in commands if command.group == group]
        if not members:
            continue
        lines.append(line((title, "heading")))
        for command in members:
            names = ", ".join((command.name, *command.aliases))
            lines.append(line("  ", (names.ljust(width), "name"), f"  {command.summary}"))
        lines.append(line())
    lines.append(line(("Filters (behind a command: `ps | grep worker | head`)", "heading")))
    lines += [line("  ", each) for each in helped()]
    lines.append(line())
    lines.append(line("`help COMMAND` tells more; every command takes --json."))
    return lines


def _one(command: Command) -> list[Line]:
    lines = [line((usage(command), "name")), line(command.summary)]
    lines += [line(text) for text in command.about]
    if command.aliases:
        lines.append(line(f"Also: {', '.join(command.aliases)}"))
    for action in command.parser()._actions:  # noqa: SLF001 - argparse has no public list of options
        name = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        if action.option_strings and action.metavar:
            name += f" {action.metavar}"
        text = (action.help or "").replace("%%", "%")  # as argparse would show it
        choices = f" ({', '.join(map(str, action.choices))})" if action.choices else ""
        lines.append(line("  ", (name.ljust(18), "id"), f"  {text}{choices}"))
    lines += [line(f"Example: {example}") for example in command.examples]
    return lines


COMMAND = Command(
    name="help",
    aliases=("?", "h"),
    summary="List the commands, or tell more about one.",
    run=_run,
    configure=_configure,
    group="console",
)
