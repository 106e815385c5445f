"""The REPL through the front door: its names, blocks in real editors, statements that block."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys

import pytest

from tests.children import ENVIRONMENT
from tests.interpreters import CHECKOUT, INTERPRETERS
from tests.own.person import DEADLINE, Person
from tests.serve.test_editor import Screen

PROGRAM = """
import asyncio, json, sys
import asyncconsole

LOCK = asyncio.Lock()

async def hold():
    async with LOCK:
        await asyncio.Event().wait()

async def wait():
    async with LOCK:
        pass

async def main():
    console = asyncconsole.start(port=0, unix_socket=False, locals={"given": 5})
    work = [asyncio.create_task(one(), name=one.__name__) for one in (hold, wait)]
    print(json.dumps({"port": console.port}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    console.close()
    for task in work:
        task.cancel()

asyncio.run(main())
"""

PROMPTS = re.compile(r"^(?:>>> |\.\.\. |[\w.-]+ \d+(?: \[BLOCKED [\d.]+ s\])?> )", re.MULTILINE)


@contextlib.contextmanager
def program(python):
    """A program with a console, and its port; only the audit log may come out of it."""
    child = subprocess.Popen(
        [python, "-W", "error", "-c", PROGRAM], cwd=CHECKOUT, env=ENVIRONMENT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield json.loads(child.stdout.readline())["port"]
        out, err = child.communicate(timeout=DEADLINE)
        assert (child.returncode, out) == (0, ""), err
        assert all(re.search(r" (ran|ended): console", line) for line in err.splitlines()), err
    finally:
        child.kill()
        child.communicate()


class Repl(Person):
    """Somebody in the REPL."""

    def enter(self, options=""):
        return self.ask(f"console{options}", PROMPTS)

    def run(self, *lines):
        return "".join(self.ask(line, PROMPTS) for line in lines)


@pytest.mark.parametrize("python", INTERPRETERS)
def test_names_of_a_session_and_statements_that_block(python):
    with program(python) as port:
        person = Repl(port)
        assert "invalid choice" in person.ask("console --engine ipython")
        said = person.enter(" --engine aioconsole")
        if person.last.startswith(">>>"):
            person.run("exit()")
        else:
            assert said.startswith("console: aioconsole is not installed where the program runs: ")
        person.enter()
        assert person.run("given") == "5\n"
        said = person.run("tasks")
        assert re.search(r"^ +2  hold  <string>:\d+$", said, re.MULTILINE), said
        assert said.endswith("3 in all; tasks[3] or tasks['name'] is the Task\n")
        assert person.run("tasks[2] is tasks['hold']", "list(tasks) == [1, 2, 3]") == "True\nTrue\n"
        assert "nothing is called 'hodl'; did you mean 'hold'?" in person.run("tasks['hodl']")
        assert "no task 4242 (it may have ended)" in person.run("tasks[4242]")
        said = person.run("locks")
        number = re.search(r"(L\d)  Lock  LOCK  locked\n", said)[1]
        assert person.run(f"locks['{number}'] is LOCK is locks['LOCK']") == "True\n"
        found = person.run("[task.name for task in snapshot().tasks]")
        assert found == "['Task-1', 'hold', 'wait']\n"
        assert person.run("tasks = 3", "tasks") == "3\n"
        other = Repl(port)
        other.enter()
        assert "3 in all" in other.run("tasks")  # a session's names are its own
        other.leave()
        # A statement that blocks the program is told to its author.
        assert person.run("import time; time.sleep(0.01)") == ""
        person.send("while True: time.sleep(0.01)\n")
        said = person.answer(re.compile(r"for \d+\.\d s\. Ctrl-C stops it\.\n"))
        assert said.endswith(
            "This statement has blocked loop 1, and all of the program's tasks in it, "
        )
        person.press(b"\x03")
        said = person.answer(PROMPTS)
        assert "KeyboardInterrupt" in said
        assert re.search(r"\[it blocked loop 1 for \d+\.\d s: ", said)
        assert person.run("1 + 1") == "2\n"
        person.leave()


@contextlib.contextmanager
def editor(words, prompt):
    """A person at a terminal of 100 columns."""
    if not shutil.which(words[0]):
        pytest.skip(f"ABSENT: {words[0]}")
    view = Screen(words)
    try:
        view.see("", where=lambda line: re.match(prompt, line))
        yield view
    finally:
        view.child.close(force=True)


@pytest.mark.parametrize("client", ["telnet", "connect"])
def test_blocks_are_edited_in_real_terminals(client, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    monkeypatch.setenv("PROMPT_TOOLKIT_NO_CPR", "1")
    with program(INTERPRETERS[-1].values[0]) as port:
        words = ["telnet", "127.0.0.1", str(port)]
        if client == "connect":
            words = [sys.executable, "-m", "asyncconsole", "connect", f"127.0.0.1:{port}"]
        with editor(words, r"\S+ \d+> $|\S+ \d+>") as view:
            view.type("console\r")
            view.see("", where=lambda line: line == ">>>")
            # Enter goes on in a block, and indents.
            view.type("for number in range(3):\r")
            view.see("", where=lambda line: line.startswith("..."))
            view.type("print('number', number)\r")
            view.type("\r")
            view.see("", where=lambda line: line == "number 2")
            # The whole block comes back, and can be changed.
            view.see("", where=lambda line: line == ">>>")
            view.type("\x1b[A")
            view.see("", where=lambda line: line == "...     print('number', number)")
            view.type("\x7f\x7f + 5)\r\r")
            view.see("", where=lambda line: line == "number 7")
            # Pasted text keeps its own indentation; an await is stopped.
            paste = "if True:\r    if True:\r        x = 6\r    y = 7\r\rprint('is', x * y)\r"
            view.type(paste)
            view.see("", where=lambda line: line == "is 42")
            view.type("print('waits'); await asyncio.sleep(1000)\r")
            view.see("", where=lambda line: line == "waits")
            view.type("\x03")
            view.see("KeyboardInterrupt")
            view.type("1 / 0\r")
            view.see("ZeroDivisionError: division by zero")
            view.type("exit()\r")
            view.see("", where=lambda line: re.match(r"\S+ \d+>$", line))


def test_statements_of_aioconsole(tmp_path):
    pytest.importorskip("aioconsole")
    with program(sys.executable) as port:
        person = Repl(port)
        assert "(aioconsole); statements run in loop 1" in person.enter(" --engine aioconsole")
        assert person.run("1 + 1", "await asyncio.sleep(0.01, 3)", "given") == "2\n3\n5\n"
        assert person.run("for n in (1, 2):", "    print(n)", "") == "1\n2\n"
        assert "ZeroDivisionError" in person.run("1 / 0")
        assert "SyntaxError" in person.run("1 +* 2")
        assert person.run("# nothing", "", "tasks['hold'].get_name()") == "'hold'\n"
        person.send("print('waits'); await asyncio.sleep(1000)")
        person.answer("waits\n")
        person.press(b"\x03")
        assert "KeyboardInterrupt" in person.answer(PROMPTS)
        person.send("print('spins')\nwhile True: pass\n")
        person.answer("spins\n")
        person.answer("Ctrl-C stops it.\n")
        person.press(b"\x03")
        assert "KeyboardInterrupt" in person.answer(PROMPTS)
        assert person.run("2 + 2") == "4\n"
        # What differs, as the page says.
        assert "NameError" in person.run("def later(): return name", "", "name = 1", "later()")
        person.run("import sys; sys.exit(3)")
        assert person.last.endswith("> ")
        assert not person.last.startswith(">>>")
        person.leave()
