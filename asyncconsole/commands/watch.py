"""``watch``: the same command again and again, until a key is pressed."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import shlex
import time
from dataclasses import dataclass

from asyncconsole.commands.command import Command
from asyncconsole.commands.keys import Keys
from asyncconsole.commands.live import Looks, Manner, Seen, say
from asyncconsole.commands.port import Target, Terminal
from asyncconsole.model import Result, UsageError
from asyncconsole.render.painter import Painter
from asyncconsole.render.width import cut

SHORTEST = 0.1
"""Seconds between two rounds, at least."""

LONGEST = 86_400.0

_ONCE = {"exit", "dump"}
"""Commands that answer nothing which could be seen again."""

SHARED = 0.75
"""Part of a round's time that an answer to somebody else may be old."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, metavar="N", help="end after N rounds")
    parser.add_argument(
        "seconds",
        type=float,
        metavar="S",
        help=f"seconds from one round to the next, {SHORTEST:g} at least",
    )
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="COMMAND", help="with its own options"
    )


async def _run(_target: Target, options: argparse.Namespace, terminal: Terminal) -> Result:
    plan = _plan(options)
    options.json = False  # the documents are those of the rounds
    looks: Looks = options.looks
    rounds = _Rounds(plan, looks, terminal)
    whole = plan.paints(terminal)
    # A script that says how often it wants an answer may have said its next line, or its last.
    counted = plan.count is not None
    with terminal.take_keys(screen=whole, lines=counted, every=plan.seconds) as keys:
        await rounds.run(keys)
    if whole:
        await say(terminal, rounds.last())
    return Result({}, exit_code=rounds.code)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be repeated, and how."""

    seconds: float
    line: str
    count: int | None
    json: bool
    within: float | None

    def paints(self, terminal: Terminal) -> bool:
        """True when the answers are drawn over each other."""
        return terminal.paints and not self.json


def _plan(options: argparse.Namespace) -> _Plan:
    """The options, checked.

    Raises:
        UsageError: They can't be done.
    """
    # dispatch lists the commands, this one among them: it can't be imported above.
    from asyncconsole.commands import dispatch  # noqa: PLC0415

    if not math.isfinite(options.seconds) or not 0 < options.seconds <= LONGEST:
        msg = f"watch: S takes seconds, {SHORTEST:g} to {LONGEST:g}, as in `watch 1 ps`."
        raise UsageError(msg)
    words = list(options.command)
    if not words:
        msg = "watch: which command? As in `watch 1 ps`."
        raise UsageError(msg)
    wants_json = options.json or "--json" in words
    words = [word for word in words if word != "--json"]
    count = options.count
    if "--count" in words[:-1]:  # behind the seconds, or behind it all
        at = words.index("--count")
        count = int(words[at + 1]) if words[at + 1].isdecimal() else 0
        del words[at : at + 2]
    if count is not None and count < 1:
        msg = "watch: --count takes a number of rounds, 1 or more."
        raise UsageError(msg)
    line = shlex.join([*words, "--json"] if wants_json else words) + options.behind
    call = dispatch.parse(line)
    if call is None or call.command.interactive or call.command.name in _ONCE:
        msg = f"watch: `{words[0] if words else ''}` can't be watched, as it answers nothing."
        raise UsageError(msg)
    if call.changes:
        name = call.command.name
        msg = f"watch: `{name}` changes the program, so it is not repeated. Type `{name}` itself."
        raise UsageError(msg)
    seconds = max(SHORTEST, options.seconds)
    return _Plan(seconds, line, count, wants_json, getattr(options, "within", None))


class _Rounds:
    """Round after round, for one client."""

    def __init__(self, plan: _Plan, looks: Looks, terminal: Terminal) -> None:
        self.code = 0
        self._plan = plan
        self._looks = looks
        self._terminal = terminal
        self._painter = Painter()
        self._seen = Seen()
        self._ahead = False
        self._resized = asyncio.Event()
        self._stopped = asyncio.Event()

    async def run(self, keys: Keys) -> None:
        """Until a key is pressed, the client has left, or as often as was asked for."""
        listening = asyncio.ensure_future(self._listen(keys))
        loop = asyncio.get_running_loop()
        done = 0
        try:
            while not self._stopped.is_set():
                began = loop.time()
                self._resized.clear()
                if not await self._round():
                    return
                done += 1
                ahead = keys.ahead or self._ahead
                if done == self._plan.count or (ahead and self._plan.count is None):
                    return
                # Late ones are left out. What it costs the program is half of a CPU at most.
                now = loop.time()
                due = max(began + self._plan.seconds, now + self._seen.cost)
                await self._pause(due - now)
        finally:
            listening.cancel()

    async def _listen(self, keys: Keys) -> None:
        """Wait for a key."""
        with contextlib.suppress(EOFError):
            while (key := await keys.get()) in {"resize", "ahead"}:
                self._ahead |= key == "ahead"  # the next line has been typed already
                self._resized.set()
        self._stopped.set()

    async def _round(self) -> bool:
        """One look, shown; False when it was stopped."""
        plan, terminal = self._plan, self._terminal
        painted = plan.paints(terminal)
        manner = Manner(
            json=plan.json,
            width=terminal.width,
            colour=terminal.colour,
            person=(terminal.interactive or terminal.colour) and not plan.json,
            rows=max(1, terminal.height - 3) if painted else None,
            limit=plan.within,
        )
        look = asyncio.ensure_future(self._looks.answer(plan.line, plan.seconds * SHARED, manner))
        await _first(look, self._stopped.wait())
        if not look.done():
            look.cancel()
            return False
        self._seen = look.result()
        self.code = self._seen.code
        if painted:
            lines = [cut(self._headline(), terminal.width - 1), *self._body(terminal.height - 1)]
            terminal.write(self._painter.paint(lines, terminal.width, terminal.height))
            await terminal.drain()
        else:
            await say(terminal, self._told())
        return True

    def _told(self) -> str:
        """One answer for those who get one after the other."""
        seen = self._seen
        if not self._plan.json:
            error = f"{seen.error}\n" if seen.error else ""
            return f"{self._headline()}\n{seen.text}{error}"
        if not seen.error:
            return seen.text
        document = {
            "schema": "asyncconsole/error/1",
            "error": seen.error,
            "exit_code": seen.code,
        }
        return json.dumps(document) + "\n"

    def _headline(self) -> str:
        now = time.strftime("%H:%M:%S")
        end = ""
        if self._plan.count is None:
            end = "; any key ends it" if self._plan.paints(self._terminal) else ""
        return f"-- {now}  {self._plan.line}  (every {self._plan.seconds:g} s{end})"

    def _body(self, most: int) -> list[str]:
        """The answer in so many lines."""
        lines = self._seen.text.splitlines()
        if self._seen.error:
            lines.append(cut(self._seen.error, self._terminal.width - 1))
        if len(lines) <= most:
            return lines
        return [*lines[: most - 1], f"... {len(lines) - most + 1} more lines"]

    def last(self) -> str:
        """What stood in the window at the end; it stays in front of the next prompt."""
        return "".join(f"{line}\n" for line in self._body(self._terminal.height - 1))

    async def _pause(self, seconds: float) -> None:
        """Wait; a window of another size is drawn at once."""
        await _first(self._stopped.wait(), self._resized.wait(), seconds=seconds)


async def _first(*works: object, seconds: float | None = None) -> None:
    """Wait until one of them is done, or for so long."""
    tasks = {asyncio.ensure_future(work): work for work in works}  # type: ignore[call-overload]  # all are awaitable
    try:
        await asyncio.wait(set(tasks), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


COMMAND = Command(
    name="watch",
    summary="Repeat a command every S seconds until a key is pressed.",
    run=_run,
    configure=_configure,
    deadline=0,  # as long as the person likes; each round has the command's own
    interactive=True,
    unattended=True,
    carries=True,
    living=True,
    group="look",
    examples=("watch 1 ps", "watch --count 3 0.5 locks", "watch 2 ps --waiting lock | grep pay"),
)
