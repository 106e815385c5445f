"""A session: banner, prompt, line, answer, until one side has had enough."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import PurePath

from asyncconsole._version import __version__
from asyncconsole.commands import dispatch
from asyncconsole.commands.port import Recorded, Target, Terminal
from asyncconsole.model import Snapshot
from asyncconsole.render.width import clean
from asyncconsole.serve import pager
from asyncconsole.serve.pace import brisk
from asyncconsole.serve.patience import within
from asyncconsole.serve.perform import (
    Answer,
    InterruptedCommandError,
    Person,
    perform,
)
from asyncconsole.serve.rules import Rules
from asyncconsole.serve.wire import WireTerminal

_GREETING = 2.0
_DIAGNOSIS = 1.5
_DIAGNOSED_TASKS = 5000
"""A greeting looks for deadlocks among so many tasks; `deadlocks` among any number."""

_FRESH = 2.0
"""Seconds a greeting or a list of names may be shared between clients, and a known deadlock."""

_RECENT = 5.0
"""Seconds after which a prompt has the program looked at for deadlocks again."""

_SLICE = 64 * 1024
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def program_name() -> str:
    """What runs in this process, in a word, as far as ``sys.argv`` tells."""
    argv = getattr(sys, "argv", None) or [""]
    return PurePath(argv[0]).name or "python"


class Greeter:
    """Makes banners and completions; shared, so that many clients cost one look."""

    def __init__(self, target: Target) -> None:
        self.program = program_name()
        self._pid = str(os.getpid())
        self._target = target
        self._lock = asyncio.Lock()
        self._banner = ""
        self._banner_at = -_FRESH
        self._names: Snapshot | None = None
        self._names_at = -_FRESH
        self._deadlocks = 0
        self._looked_at = -_RECENT
        self._looking: asyncio.Future[None] | None = None

    async def banner(self) -> str:
        """Two lines: who this is, and how it is."""
        async with self._lock:
            if time.monotonic() - self._banner_at > _FRESH:
                with brisk():
                    self._banner = await self._look()
                self._banner_at = time.monotonic()
            return self._banner

    async def _look(self) -> str:
        try:
            snapshot = await within(_GREETING, self._target.snapshot("loops"))
        except asyncio.TimeoutError:
            return self._head(None) + f"It could not be looked at within {_GREETING:g} s.\n"
        except Exception as error:
            return self._head(None) + f"It could not be looked at: {error}\n"
        self.program = clean(snapshot.program) or self.program
        tasks = sum(loop.tasks for loop in snapshot.loops)
        counts = f"{_counted(len(snapshot.loops), 'loop')}, {_counted(tasks, 'task')}."
        await self._count_deadlocks(tasks)
        found = self._deadlocks
        trouble = f"  ! {_counted(found, 'deadlock')}: type `deadlocks`" if found else ""
        return self._head(snapshot) + counts + trouble + "\n"

    def _head(self, snapshot: Snapshot | None) -> str:
        words = ["asyncconsole " + __version__, self.program]
        recorded = isinstance(self._target, Recorded)
        dump = "dump of " if recorded else ""
        words.append(f"{dump}pid {snapshot.pid if snapshot else os.getpid()}")
        words.append(f"Python {snapshot.python if snapshot else sys.version.split()[0]}")
        if snapshot is not None and recorded:
            self._pid = f"dump of {snapshot.pid}"
            words.append(f"taken at {snapshot.taken_at}")
        if snapshot is not None and snapshot.uptime > 0:
            words.append(f"up {_spell(snapshot.uptime)}")
        return clean(" · ".join(words)) + "\n"

    async def _count_deadlocks(self, tasks: int) -> None:
        """Find out how many there are, if that is quick."""
        found = 0
        try:
            if tasks <= _DIAGNOSED_TASKS:
                command = dispatch.find("deadlocks")
                asked = command.run(self._target, command.parse([]))
                findings = (await within(_DIAGNOSIS, asked)).told().get("findings", ())
                found = sum(finding.get("verdict") == "deadlock" for finding in findings)
        except Exception:  # the command itself will say what is wrong with it
            found = 0
        self._deadlocks, self._looked_at = found, time.monotonic()

    async def _look_again(self) -> None:
        try:
            snapshot = await within(_DIAGNOSIS, self._target.snapshot("loops"))
            await self._count_deadlocks(sum(loop.tasks for loop in snapshot.loops))
        except Exception:  # no warning in a prompt is a small loss
            self._deadlocks = 0

    async def complete(self, line: str) -> tuple[int, Sequence[str]]:
        """Candidates for the end of ``line``; looks at the program only when it must."""
        try:
            replace, candidates = dispatch.complete(line, None)
            if candidates or " " not in line.lstrip():
                return replace, candidates
            if time.monotonic() - self._names_at > _FRESH:
                with brisk():
                    self._names = await within(1.0, self._target.snapshot("all"))
                self._names_at = time.monotonic()
            return dispatch.complete(line, self._names)
        except Exception:
            return 0, ()  # no completion is a small loss; the person goes on typing

    async def prompt(self) -> str:
        """``bank 4242> ``, with a warning while a loop is blocked or tasks are deadlocked.

        A known deadlock is looked at again first, since it may be what was just ended. Whether
        there is a new one is found out meanwhile, for the next prompt.
        """
        if time.monotonic() - self._looked_at > (_FRESH if self._deadlocks else _RECENT):
            if self._looking is None or self._looking.done():
                self._looking = asyncio.ensure_future(self._look_again())
            if self._deadlocks:
                await asyncio.wait({self._looking}, timeout=_DIAGNOSIS)
        name = PurePath(self.program).stem or "python"
        blocked = [stall.duration for stall in self._target.stalls() if stall.ongoing]
        warnings = [f"BLOCKED {max(blocked):.1f} s"] if blocked else []
        if self._deadlocks:
            warnings.append(_counted(self._deadlocks, "deadlock"))
        warning = f" [{', '.join(warnings)}]" if warnings else ""
        return f"{name} {self._pid}{warning}> "


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _spell(seconds: float) -> str:
    """A duration in its largest unit."""
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


class Session:
    """One client's conversation with the program."""

    def __init__(self, target: Target, person: Person, rules: Rules, greeter: Greeter) -> None:
        self._target = target
        self._person = person
        self._rules = rules
        self._greeter = greeter

    async def converse(self) -> str:
        """Serve a person until they leave; why it ended, "" when they wanted it."""
        terminal = self._person.terminal
        terminal.write(await self._greeter.banner() + "\n")
        while not self._person.lost.is_set():
            try:
                try:
                    line = await terminal.read_line(await self._greeter.prompt())
                except KeyboardInterrupt:
                    continue
                answer = await perform(line, self._target, self._person, self._rules)
            except EOFError as end:
                why = str(end)
                terminal.write("\n" + (why + "\n" if why else ""))
                return why
            except InterruptedCommandError:
                terminal.write("Interrupted.\n")
                continue
            if answer.leave:
                return ""
            await pager.show(terminal, answer.text, self._rules.idle)
            if answer.error:
                terminal.write(answer.error + "\n")
        return ""

    async def answer_runs(self, terminal: WireTerminal) -> None:
        """Serve a script: each command's output, then its exit code."""
        while (run := await terminal.next_run()) is not None:
            try:
                answer = await perform(
                    run.line, self._target, self._person, self._rules, run.timeout
                )
            except InterruptedCommandError:
                answer = Answer(error="Interrupted.", code=1)
            await self._say(terminal, answer.text)
            terminal.done(answer.code, answer.error)
            await terminal.drain()
            if answer.leave:
                return

    async def _say(self, terminal: Terminal, text: str) -> None:
        """Write in slices, each after the client has taken most of the one before."""
        for start in range(0, len(text), _SLICE):
            if self._person.lost.is_set():
                return
            terminal.write(text[start : start + _SLICE])
            await terminal.drain()
