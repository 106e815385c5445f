"""Completion in a real shell, and the manual page."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pexpect
import pytest

from asyncconsole.client.completion import SCRIPTS, candidates
from asyncconsole.client.main import SUBCOMMANDS
from asyncconsole.commands import dispatch
from tests.client.cli import client, complaint, environment
from tests.client.test_end_to_end import running

if TYPE_CHECKING:
    from pathlib import Path

STARTS = {
    "bash": ["--norc", "--noprofile"],
    "zsh": ["-f"],
    "fish": ["--no-config"],
}
GAP = r"(?:\x1b\[[0-9;?]*[A-Za-z]|\s|\x08)*"
"""What a shell may draw between a word and what is typed next."""

BEFORE = {"bash": "", "zsh": "autoload -U compinit && compinit -u -D", "fish": ""}


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH with an ``asyncconsole`` of this checkout."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "asyncconsole"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m asyncconsole "$@"\n')
    program.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


@pytest.mark.parametrize("shell", list(SCRIPTS))
def test_a_shell_completes(shell: str, tmp_path: Path, path: str) -> None:
    where = shutil.which(shell)
    if where is None:
        pytest.skip(f"ABSENT: {shell}")
    script = tmp_path / "script"
    script.write_text(client(tmp_path, "completion", shell).stdout)
    variables = environment(tmp_path, PATH=path, PS1="$ ", HOME=str(tmp_path), TERM="dumb")
    with running(tmp_path, "bank") as bank:
        child = pexpect.spawn(
            where, STARTS[shell], env=variables, timeout=20, dimensions=(24, 200), encoding="utf-8"
        )
        try:
            child.sendline(f"{BEFORE[shell]}\nsource {script}; echo re''ady")
            child.expect("ready")
            child.send("asyncconsole conn\tTAB")
            child.expect(rf"connect{GAP}TAB")
            child.send("\x15asyncconsole check \tTAB")
            child.expect(rf"{bank.pid}{GAP}TAB")
            child.send("\x15asyncconsole connect --tim\tTAB")
            child.expect(rf"--timeout{GAP}TAB")
            child.send("\x15asyncconsole connect -c deadl\tTAB")
            child.expect(rf"deadlocks{GAP}TAB")
        finally:
            child.close(force=True)


@pytest.mark.parametrize(
    ("words", "some"),
    [
        ([""], set(SUBCOMMANDS)),
        (["che"], {"check"}),
        (["demo", ""], {"bank", "ledger"}),
        (["connect", "-c", ""], set(dispatch.names())),
        (["connect", "4242", "--j"], {"--json"}),
        (["run", "--stall"], {"--stall-threshold"}),
        (["completion", ""], set(SCRIPTS)),
        (["nothing", ""], set()),
        (["connect", "--token-file", ""], set()),
        (["connect", "--tls-name", ""], set()),
    ],
)
def test_candidates(words: list[str], some: set[str]) -> None:
    found = candidates(words)
    assert some <= set(found)
    assert all(word.startswith(words[-1]) for word in found)
    assert some or not found


def test_which_shell(tmp_path: Path) -> None:
    done = client(tmp_path, "completion")
    assert done.returncode == 2
    assert "bash, zsh, fish" in complaint(done)


def test_the_manual_page_has_all(tmp_path: Path) -> None:
    page = client(tmp_path, "man")
    assert (page.returncode, page.stderr) == (0, "")
    text = page.stdout.replace("\\-", "-")
    for name in SUBCOMMANDS:
        assert f"\n.SS {name}\n" in text
    for command in dispatch.catalogue().values():
        assert f"\n.B {command.name}" in text
    for option in ("--timeout S", "--reconnect", "-c COMMAND", "--threshold"):
        assert option in text
    assert "%(default)" not in text
    assert "130 Ctrl-C" in text


def test_the_manual_page_can_be_read(tmp_path: Path) -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("ABSENT: groff")
    done = subprocess.run(
        [groff, "-man", "-Tutf8", "-ww"],
        input=client(tmp_path, "man").stdout,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    shown = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout)
    assert "asyncconsole - a console inside a running asyncio program" in shown
    assert "deadlocks" in shown
