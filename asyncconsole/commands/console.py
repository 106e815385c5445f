"""``console``: Python in the program's own event loop."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from asyncconsole.commands.command import Command
from asyncconsole.commands.port import ReplTarget, Terminal
from asyncconsole.model import ConsoleError, Result, UsageError

if TYPE_CHECKING:
    from asyncconsole.repl.engine import Engine


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--loop", type=int, metavar="N", help="run statements in loop N")
    parser.add_argument(
        "--side", action="store_true", help="run statements in a loop of the console, beside yours"
    )
    parser.add_argument(
        "--engine",
        choices=("stdlib", "aioconsole"),
        default="stdlib",
        help="what runs them (default stdlib; aioconsole where that is installed)",
    )


async def run(target: ReplTarget, options: argparse.Namespace, terminal: Terminal) -> Result:
    """Talk until the person leaves.

    Raises:
        ConsoleError: The target is no live program.
        UsageError: ``--side`` and ``--loop`` together.
        UnknownItemError: There is no loop of that number.
    """
    from asyncconsole.repl.aio import AioconsoleEngine  # noqa: PLC0415 - only when somebody wants a REPL
    from asyncconsole.repl.stdlib import StdlibEngine  # noqa: PLC0415 - as above

    if options.side and options.loop is not None:
        msg = "console: --side is no loop of the program; give it or --loop, not both."
        raise UsageError(msg)
    if not hasattr(target, "submit"):
        msg = "console needs a living program; this is a dump. `help` lists what works on one."
        raise ConsoleError(msg)
    engine: Engine = AioconsoleEngine() if options.engine == "aioconsole" else StdlibEngine()
    await engine.run(terminal, target, options.loop, side=options.side)
    return Result({"schema": "asyncconsole/console/1"})


COMMAND = Command(
    name="console",
    summary="a Python REPL with `await`, in the program's own loop",
    run=run,
    configure=configure,
    effect="write",
    deadline=0,  # as long as the person likes
    interactive=True,
    group="act",
    examples=("console", "console --loop 2", "console --side"),
)
