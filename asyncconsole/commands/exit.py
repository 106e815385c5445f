"""``exit``: leave the console; the program goes on."""

from __future__ import annotations

import argparse
from typing import NoReturn

from asyncconsole.commands.command import Command
from asyncconsole.commands.port import Target
from asyncconsole.model import ConsoleError


class Leave(ConsoleError):  # noqa: N818 - not an error: how a session ends
    """Ends the session that runs the command."""

    exit_code = 0


async def _run(_target: Target, _options: argparse.Namespace) -> NoReturn:
    msg = "bye"
    raise Leave(msg)


COMMAND = Command(
    name="exit",
    aliases=("q", "quit"),
    summary="Leave the console; the program goes on.",
    run=_run,
    group="console",
)
