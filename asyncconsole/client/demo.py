"""``asyncconsole demo``: a program that really hangs, with a console on it."""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from asyncconsole.client import ask, connect, consoles, screen
from asyncconsole.client.address import Address
from asyncconsole.client.tours import TOURS, Tour
from asyncconsole.client.wire import Manner, Wire, open_wire
from asyncconsole.commands.command import nearest
from asyncconsole.model.errors import (
    ConsoleError,
    DeadlineError,
    TargetMissingError,
    UsageError,
)

DEFAULT = "bank"
PATIENCE = 30.0  # seconds for an app to start, and again for it to hang
TOUR_WIDTH = 110  # columns, when nobody's terminal says


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("name", metavar="NAME", nargs="?", help=f"which app (default: {DEFAULT})")
    parser.add_argument("--no-track", action="store_true", help="patch nothing of the app")
    parser.add_argument("--list", action="store_true", help="list the apps")


def demo(options: argparse.Namespace) -> int:
    """Start an app, wait until it hangs, and let the person, or a tour, look at it.

    Raises:
        UsageError: There is no such app.
        ConsoleError: It doesn't start, or doesn't hang.
    """
    if options.list:
        screen.write("".join(f"{name:<8}{tour.summary}\n" for name, tour in TOURS.items()))
        return 0
    name = options.name or DEFAULT
    tour = TOURS.get(name)
    if tour is None:
        guess = nearest(name, list(TOURS))
        hint = f"Did you mean `{guess}`?" if guess else "`demo --list` lists them."
        msg = f"no demo `{name}`. {hint}"
        raise UsageError(msg)
    person = sys.stdin.isatty() and sys.stdout.isatty()
    with App(folder() / f"{name}.py", track=not options.no_track) as app:
        screen.write(f"{app.path.name} runs as process {app.child.pid}: {tour.summary}.\n")
        address = app.address()
        app.wait_until_it_hangs(address, tour)
        if person:
            commands = ", ".join(f"`{step.command}`" for step in tour.steps)
            screen.write(f"Try {commands}; `exit` leaves and ends {app.path.name}.\n\n")
            return connect.interactive(address, None, PATIENCE)
        return walk(address, tour, app)


def folder() -> Path:
    """Where the demo apps are: in the installed package, or beside it in a checkout.

    Raises:
        ConsoleError: In neither.
    """
    package = Path(__file__).resolve().parent.parent
    for found in (package / "demo_apps", package.parent / "demo_apps"):
        if (found / f"{DEFAULT}.py").is_file():
            return found
    msg = (
        f"the demo apps are not there: neither in {package} nor beside it. Reinstall asyncconsole."
    )
    raise ConsoleError(msg)


class App:
    """A demo app in a process of its own; leaving the context ends it."""

    def __init__(self, path: Path, *, track: bool = True) -> None:
        self.path = path
        switches = [] if track else ["--no-track"]
        self._folder = tempfile.TemporaryDirectory(prefix="asyncconsole-demo-")
        self._printed = Path(self._folder.name) / "stdout"
        self._log = Path(self._folder.name) / "stderr"
        self._terminated = _exit_on_termination()
        self._terminated.__enter__()
        # A session of its own: Ctrl-C at this terminal is for the console, not for the app.
        with self._printed.open("wb") as printed, self._log.open("wb") as log:
            self.child = subprocess.Popen(  # noqa: S603 - our own interpreter and our own file
                [sys.executable, "-m", "asyncconsole", "run", *switches, str(path)],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=log,
                env=os.environ | {"PYTHONIOENCODING": "utf-8"},
                start_new_session=True,
            )

    def __enter__(self) -> App:  # noqa: PYI034 - typing has no Self in Python 3.10
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.child.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.child.wait(5)
        finally:
            self.child.kill()
            self.child.wait(5)
            self._folder.cleanup()
            self._terminated.__exit__(None, None, None)

    def printed(self) -> str:
        """What it has printed so far."""
        return self._printed.read_text("utf-8", "replace")

    def log(self) -> str:
        """What went to its stderr so far: our line, log lines, tracebacks."""
        return self._log.read_text("utf-8", "replace")

    def address(self) -> Address:
        """Its console, once that is there.

        Raises:
            ConsoleError: The app ended.
            DeadlineError: Its console did not start in time.
        """
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self._check()
            # Not `child.pid`: a launcher may stand between (Windows' virtual environments).
            said = re.search(r"asyncconsole connect (\d+)\s", self.log())
            if said:
                with suppress(TargetMissingError):  # it may have ended since
                    return consoles.find(said[1])
            time.sleep(0.05)
        msg = f"{self.path.name} started no console within {PATIENCE:g} s."
        raise DeadlineError(msg)

    def wait_until_it_hangs(self, address: Address, tour: Tour) -> None:
        """Return once the tour's condition holds.

        Raises:
            ConsoleError: The app ended.
            DeadlineError: It did not hang in time.
        """
        end = time.monotonic() + PATIENCE
        try:
            with open_wire(address, Manner(), PATIENCE) as wire:
                while time.monotonic() < end:
                    self._check()
                    if tour.ready(ask.document(wire, tour.ask, PATIENCE)):
                        return
                    time.sleep(0.1)
        except TargetMissingError:
            with suppress(subprocess.TimeoutExpired):
                self.child.wait(5)
            self._check()  # why the app ended says more than that its console went
            raise
        msg = f"{self.path.name} did not go wrong within {PATIENCE:g} s."
        raise DeadlineError(msg)

    def _check(self) -> None:
        if self.child.poll() is not None:
            last = (self.log().strip().splitlines() or ["it said nothing"])[-1]
            msg = f"{self.path.name} ended with {self.child.returncode}: {last}"
            raise ConsoleError(msg)


def walk(address: Address, tour: Tour, app: App) -> int:
    """Type the tour's commands and show the answers; 1 when one is not as it should be."""
    columns = screen.width(sys.stdout)
    manner = Manner(
        width=TOUR_WIDTH if columns == screen.PIPE_WIDTH else columns,
        colour=screen.colour(sys.stdout),
    )
    failed = []
    with open_wire(address, manner, PATIENCE) as wire:
        for step in tour.steps:
            text = _show(wire, app.path.stem, step.command)
            if step.expect not in _plain(text):
                failed.append(f"`{step.command}` doesn't show {step.expect!r}")
        if tour.after is not None:
            command, test = tour.after
            if not test(ask.document(wire, command, PATIENCE)):
                failed.append(f"`{command}` at the end is not as it should be")
    printed = "".join(f"    {line}\n" for line in app.printed().splitlines())
    screen.write(f"\n{app.path.name} itself printed:\n{printed}")
    for complaint in failed:
        screen.complain(f"demo: {complaint}")
    return 1 if failed else 0


def _show(wire: Wire, name: str, command: str) -> str:
    """Run one command, showing it as if it had been typed; returns what came."""
    pieces: list[str] = []

    def out(text: str) -> None:
        pieces.append(text)
        screen.write(text)

    screen.write(f"\n{name} {wire.hello.pid}> {command}\n")
    ask.run(wire, command, PATIENCE, out=out, error=lambda line: out(f"{line}\n"))
    return "".join(pieces)


def _plain(text: str) -> str:
    """Text without escape codes."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@contextmanager
def _exit_on_termination() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind the stack, so that the app is ended with us."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    before: dict[int, Any] = {}
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None:
            before[number] = signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
