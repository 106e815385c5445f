"""What a session must do, played on real loops.

``python -m tests.repl.scenarios REPORT [uvloop]`` plays all of them and writes a JSON
document ``{scenario: "" or traceback}``. Nothing goes to stdout.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from asyncconsole.model import UnknownItemError, UsageError
from asyncconsole.repl import session
from tests.repl.stage import PATIENCE, Program, talk, until

SCENARIOS: dict[str, Callable[[Program], Awaitable[None]]] = {}


def scenario(function: Callable[[Program], Awaitable[None]]) -> Any:
    SCENARIOS[function.__name__] = function
    return function


@scenario
async def shows_values_and_binds_the_last_one(program: Program) -> None:
    async with talk(program) as keys:
        assert await keys.ask("1 + 1") == "2\n"
        assert await keys.ask("None", "x = 3") == ""
        assert await keys.ask("_ * 21") == "42\n"
        assert await keys.ask("answer") == "42\n"
        assert await keys.ask("# nothing", "", "   ") == ""
        assert await keys.ask("y = 5; y; y + 1") == "6\n"
        assert keys.prompts[0] == ">>> "


@scenario
async def awaits_in_the_programs_loop(program: Program) -> None:
    async with talk(program) as keys:
        await keys.ask("import asyncio, threading")
        assert await keys.ask("await asyncio.sleep(0, 'done')") == "'done'\n"
        assert await keys.ask("asyncio.get_running_loop() is program_loop") == "True\n"
        line = "(await asyncio.sleep(0.01), asyncio.get_running_loop() is program_loop)[1]"
        assert await keys.ask(line) == "True\n"
        assert await keys.ask("threading.current_thread().name") == "'MainThread'\n"
        line = "(await asyncio.sleep(0), asyncio.current_task().get_name())[1]"
        assert await keys.ask(line) == "'asyncconsole-repl'\n"
        assert await keys.ask("before = await asyncio.sleep(0, 7)", "before + 1") == "8\n"


@scenario
async def takes_blocks(program: Program) -> None:
    async with talk(program) as keys:
        assert await keys.ask("def double(x):", "    return x * 2", "", "double(4)") == "8\n"
        assert keys.prompts[-5:] == [">>> ", "... ", "... ", ">>> ", ">>> "]
        await keys.ask("import asyncio, contextlib")
        await keys.ask("async def slow(x):", "    await asyncio.sleep(0)", "    return x", "")
        assert await keys.ask("await slow(5)") == "5\n"
        await keys.ask("lock = asyncio.Lock()")
        got = await keys.ask("async with lock:", "    print(lock.locked())", "")
        assert got == "True\n"
        await keys.ask(
            "async def count(n):",
            "    for i in range(n):",
            "        yield i",
            "        await slow(i)",
            "",
        )
        assert await keys.ask("async for i in count(3):", "    print(i)", "") == "0\n1\n2\n"
        assert await keys.ask("[i async for i in count(3)]") == "[0, 1, 2]\n"
        assert (
            await keys.ask("for i in (1, 2):", "    await slow(i)", "    print(i)", "") == "1\n2\n"
        )
        assert await keys.ask("'''a", "", "b'''") == "'a\\n\\nb'\n"
        assert await keys.ask("(1 +", "2)") == "3\n"
        assert await keys.ask("if True:", "    x = 1", "else:", "    x = 2", "", "x") == "1\n"
        assert await keys.ask("@contextlib.contextmanager", "def f():", "    yield 3", "") == ""
        assert await keys.ask("def g():", "    return 1", "g() + 1") == "2\n"  # pasted
        assert await keys.ask("for i in (1,):\n    print(i)\n\nprint(8)") == "1\n8\n"  # in one go
        assert (
            await keys.ask("from __future__ import annotations", "def h(x: nowhere): pass", "")
            == ""
        )
        assert await keys.ask("h.__annotations__") == "{'x': 'nowhere'}\n"


@scenario
async def drops_a_block_on_ctrl_c(program: Program) -> None:
    async with talk(program) as keys:
        assert await keys.ask("def f():", KeyboardInterrupt()) == "KeyboardInterrupt\n"
        assert keys.prompts[-1] == ">>> "
        assert await keys.ask("1") == "1\n"


@scenario
async def explains_bad_syntax(program: Program) -> None:
    async with talk(program) as keys:
        text = await keys.ask("x = = 1")
        assert "SyntaxError: invalid syntax" in text, text
        assert "x = = 1" in text
        assert "SyntaxError" in await keys.ask("return 3")
        assert "IndentationError" in await keys.ask("  x = 1")
        assert "Error" in await keys.ask("x\0")
        assert "Error" in await keys.ask("'\ud800'")
        assert "Error" in await keys.ask("(" * 5000 + ")" * 5000)
        assert "more than" in await keys.ask("x = '" + "a" * (1 << 21) + "'")
        assert await keys.ask("2") == "2\n"


@scenario
async def shows_tracebacks_without_our_frames(program: Program) -> None:
    async with talk(program) as keys:
        await keys.ask("import asyncio", "def f():", "    return 1 / 0  # boom", "")
        for line in ("f()", "(await asyncio.sleep(0), f())"):
            text = await keys.ask(line)
            assert text.startswith("Traceback (most recent call last):\n"), text
            assert "ZeroDivisionError: division by zero" in text
            assert "return 1 / 0  # boom" in text
            assert "<console " in text
            assert "asyncconsole" not in text, text
        text = await keys.ask(
            "try:", "    f()", "except Exception as e:", "    raise KeyError(1) from e", ""
        )
        assert "direct cause" in text
        assert "asyncconsole" not in text
        assert "input() would" in await keys.ask("input()")
        assert "asyncconsole" not in keys.text
        text = await keys.ask("def deep(n): return deep(n + 1)", "", "deep(0)")
        assert "RecursionError" in text
        assert len(text) < 100_000


@scenario
async def prints_to_the_session_only(program: Program) -> None:
    hook, out = sys.displayhook, sys.stdout
    async with talk(program) as one, talk(program) as two:
        assert await one.ask("print('hello', 'you', sep='-')") == "hello-you\n"
        assert await one.ask("import sys, io; print(1, end='')") == "1"
        await one.ask("buffer = io.StringIO(); print('x', file=buffer)")
        assert await one.ask("buffer.getvalue()") == "'x\\n'\n"
        assert "x-ray" in await one.ask("def xray():", "    'x-ray'", "", "help(xray)")
        assert "help(THING)" in await one.ask("help()")
        for name in ("input", "breakpoint", "license"):
            assert "RuntimeError" in await one.ask(f"{name}()")
        assert "hello" not in two.text
    assert sys.displayhook is hook
    assert sys.stdout is out
    assert not hasattr(sys, "ps1")
    assert not hasattr(sys, "last_value")


@scenario
async def prints_at_once_during_a_long_await(program: Program) -> None:
    program.values["gate"] = asyncio.Event()
    async with talk(program) as keys:
        await keys.ask("import asyncio")
        keys.type("for i in range(2):", "    print('step', i)", "    await gate.wait()", "")
        await keys.reads("step 0\n")
        assert "step 1" not in keys.text
        async with talk(program) as other:
            assert await other.ask("gate.set()") == ""
        await keys.reads("step 1\n")
        await until(lambda: keys.waiting, "prompt")
        # A task that goes on after its statement prints too, in order.
        await keys.ask(
            "async def later():",
            "    await asyncio.sleep(0.02)",
            "    for i in range(100): print('late', i)",
            "",
            "task = asyncio.create_task(later())",
        )
        await keys.reads("late 99\n")
        lines = [line for line in keys.text.split("\n") if line.startswith("late")]
        assert lines == [f"late {i}" for i in range(100)]


@scenario
async def leaves(program: Program) -> None:
    for lines in (
        ["exit()"],
        ["quit()"],
        ["exit"],
        ["import sys; sys.exit(3)"],
        ["raise SystemExit"],
    ):
        async with talk(program) as keys:
            keys.type(*lines)
            await until(lambda k=keys: k.left, f"left by {lines}")
        await program.goes_on()
    async with talk(program) as keys:
        keys.type(
            "import asyncio",
            "async def f():",
            "    await asyncio.sleep(0)",
            "    raise SystemExit(1)",
            "",
        )
        keys.type("await f()")
        await until(lambda: keys.left, "left by SystemExit in a coroutine")


@scenario
async def contains_every_exception(program: Program) -> None:
    async with talk(program) as keys:
        await keys.ask("import asyncio")
        for kind in (
            "KeyboardInterrupt",
            "asyncio.CancelledError",
            "GeneratorExit",
            "BaseException",
        ):
            name = kind.rpartition(".")[2]
            assert name in await keys.ask(f"raise {kind}('typed')")
            await keys.ask(
                "async def f():", "    await asyncio.sleep(0)", f"    raise {kind}('typed')", ""
            )
            text = await keys.ask("await f()")
            assert name in text or "closed" in text, text
            await program.goes_on()
        assert "StopIteration" in await keys.ask("raise StopIteration(1)")
        assert "Error" in await keys.ask("await 3")


@scenario
async def ctrl_c_cancels_an_await(program: Program) -> None:
    async with talk(program) as keys:
        await keys.ask("import asyncio")
        before = len(keys.text)
        keys.type("await asyncio.sleep(1000)")
        await program.awaits()
        await keys.press()
        await until(lambda: keys.waiting, "prompt")
        assert keys.text[before:] == "KeyboardInterrupt: cancelled at its await\n"
        keys.type(
            "try:",
            "    print('begun')",
            "    await asyncio.sleep(1000)",
            "finally:",
            "    print('cleaned')",
            "",
        )
        await keys.reads("begun\n")
        await program.awaits()
        await keys.press()
        await until(lambda: keys.waiting, "prompt")
        assert keys.text.endswith("begun\ncleaned\nKeyboardInterrupt: cancelled at its await\n")
        await program.goes_on()
        assert await keys.ask("1") == "1\n"


@scenario
async def ctrl_c_stops_a_busy_statement(program: Program) -> None:
    async with talk(program) as keys:
        await keys.ask(
            "import asyncio", "def spin():", "    print('begun')", "    while True: pass", ""
        )
        await keys.ask("async def aspin():", "    await asyncio.sleep(0)", "    spin()", "")
        await keys.ask(
            "async def turns():", "    print('begun')", "    while True: await asyncio.sleep(0)", ""
        )
        for line in ("spin()", "await aspin()", "await turns()"):
            before = len(keys.text)
            keys.type(line)
            await until(lambda: "begun" in keys.text[before:], "begun")  # noqa: B023 - awaited here
            await keys.press()
            await until(lambda: keys.waiting, "prompt")
            text = keys.text[before:]
            assert "KeyboardInterrupt" in text, text
            assert "asyncconsole" not in text, text
            await program.goes_on()
        assert await keys.ask("1") == "1\n"


@scenario
async def ctrl_c_in_a_blocking_call_is_explained(program: Program) -> None:
    released = threading.Event()
    program.values["released"] = released
    async with talk(program) as keys:
        keys.type("print('begun'); released.wait(20)")
        await keys.reads("begun\n")
        await keys.press()
        await keys.reads("is in a blocking C call at threading.py:")
        assert "keeps the program's loop blocked until it returns" in keys.text
        released.set()
        await until(lambda: keys.waiting, "prompt")
        assert "KeyboardInterrupt" in keys.text  # raised when the call returned
        await program.goes_on()
        # A second Ctrl-C leaves it behind, and later statements still work.
        released.clear()
        keys.type("print('again'); released.wait(20)")
        await keys.reads("again\n")
        await keys.press()
        await until(lambda: keys.text.count("in a blocking C call") == 2, "explained")
        await keys.press()
        await keys.reads("Left behind. It may still run.\n")
        released.set()
        await program.goes_on()
        assert await keys.ask("2") == "2\n"


@scenario
async def ctrl_c_swallowed_is_explained(program: Program) -> None:
    async with talk(program) as keys:
        await keys.ask("import asyncio")
        keys.type(
            "while True:",
            "    try:",
            "        print('turn')",
            "        while True: pass",
            "    except KeyboardInterrupt: stubborn = True",
            "",
        )
        await keys.reads("turn\n")
        await keys.press()
        await keys.reads("caught the interrupt and goes on")
        # Its session may leave, and takes another try at stopping it.
        await keys.press()
        await keys.reads("Left behind")
        keys.type(EOFError())
        await until(lambda: keys.left, "left")
    # Still spins: stop it for good, as nobody can from the console.
    await until(lambda: _kill_main_thread_loop(program), "the loop is free")
    await program.goes_on()
    async with talk(program) as keys:
        await keys.ask("import asyncio")
        keys.type(
            "try:",
            "    print('begun')",
            "    await asyncio.sleep(1000)",
            "except asyncio.CancelledError:",
            "    await asyncio.sleep(1000)",
            "",
        )
        await keys.reads("begun\n")
        await program.awaits()
        await keys.press()
        await keys.reads("it caught the cancellation, or cleans up")
        await keys.press()
        await keys.reads("Left behind")
    # Leaving the session cancels what was left behind no more; end it here.
    for task in asyncio.all_tasks(program.loops[0]):
        if task.get_name() == "asyncconsole-repl":
            program.loops[0].call_soon_threadsafe(task.cancel)
    await until(
        lambda: all(
            t.get_name() != "asyncconsole-repl" for t in asyncio.all_tasks(program.loops[0])
        ),
        "ended",
    )


def _kill_main_thread_loop(program: Program) -> bool:
    """Throw what a ``except KeyboardInterrupt`` does not catch into the main thread, if it spins."""
    if time.monotonic() - program.beat_at < 0.2:
        return True
    import ctypes

    ident = ctypes.c_ulong(threading.main_thread().ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(ZeroDivisionError))
    time.sleep(0.3)
    return False


@scenario
async def a_blocked_loop_is_said_at_entry(program: Program) -> None:
    free = threading.Event()
    program.block(free)
    try:
        async with talk(program) as keys:
            assert keys.prompts == ["Use a side-loop REPL? [Y/n] "]
            assert "Loop 1 has been blocked for " in keys.text
            assert " s in ledger.py:88 read_ledger (time.sleep). " in keys.text, keys.text
            await keys.ask("")
            assert keys.prompts[-1] == "side>>> "
            assert await keys.ask("def f():", "    return 5", "", "f()") == "5\n"
            assert "...... " in keys.prompts or "....... " in keys.prompts, keys.prompts
            await keys.ask("import asyncio")
            assert await keys.ask("await asyncio.sleep(0.01, 'side')") == "'side'\n"
            assert await keys.ask("asyncio.get_running_loop() is program_loop") == "False\n"
            assert program.ignored
            keys.type("print('spinning')", "while True: pass", "")
            await keys.reads("spinning\n")
            await until(lambda: keys.listens, "running")
            await keys.press()
            await until(lambda: keys.waiting, "prompt")
            assert "KeyboardInterrupt" in keys.text
        async with talk(program, interactive=False) as keys:
            assert "Going on in a side loop" in keys.text
            assert await keys.ask("1 + 1") == "2\n"
            assert keys.prompts[-1] == "side>>> "
        async with talk(program) as keys:
            keys.type("n")
            await until(lambda: keys.prompts[-1] == ">>> ", "the program's prompt")
        async with talk(program) as keys:
            keys.type(KeyboardInterrupt())
            await until(lambda: keys.left, "left")
    finally:
        free.set()
    await program.goes_on()
    await until(lambda: all(loop.is_closed() for loop in program.ignored), "side loops are closed")


@scenario
async def a_statement_that_does_not_begin_is_withdrawn(program: Program) -> None:
    program.values["ran"] = ran = []
    async with talk(program) as keys:
        free = threading.Event()
        program.block(free)
        try:
            keys.type("ran.append(1)")
            await until(lambda: keys.prompts[-1].startswith("Use a side"), "asked")
            assert "Loop 1 is blocked in ledger.py:88" in keys.text
            keys.type("n")
            await keys.reads("Waiting for the loop; Ctrl-C withdraws the statement.\n")
            await keys.press()
            await keys.reads("withdrawn; it had not begun")
            keys.type("ran.append(2); 'moved'")
            await until(lambda: keys.prompts[-1].startswith("Use a side"), "asked")
            keys.type("y")
            await keys.reads("'moved'\n")
            await until(lambda: keys.waiting, "prompt")
            assert keys.prompts[-1] == "side>>> "
        finally:
            free.set()
        await program.goes_on()
        assert ran == [2]
    async with talk(program, interactive=False) as keys:
        free = threading.Event()
        program.block(free)
        try:
            assert "'there'\n" in await keys.ask("ran.append(3); 'there'")
            assert "Going on in a side loop" in keys.text
        finally:
            free.set()
        await program.goes_on()
        assert ran == [2, 3]


@scenario
async def survives_every_repr(program: Program) -> None:
    async with talk(program) as keys:
        await keys.ask("class Bad:", "    def __repr__(self): raise ValueError('no')", "")
        assert "whose repr raised ValueError('no')>" in await keys.ask("Bad()")
        await keys.ask("class Exits:", "    def __repr__(self): raise SystemExit", "")
        assert "whose repr raised SystemExit()" in await keys.ask("Exits()")
        await keys.ask("class Wrong:", "    def __repr__(self): return 3", "")
        assert "whose repr raised TypeError" in await keys.ask("Wrong()")
        await keys.ask(
            "class Spins:",
            "    def __repr__(self):",
            "        print('in repr')",
            "        while True: pass",
            "",
        )
        keys.type("Spins()")
        await keys.reads("in repr\n")
        await keys.press()
        await until(lambda: keys.waiting, "prompt")
        assert "KeyboardInterrupt" in keys.text
        await keys.ask("class Worse(Exception):", "    def __str__(self): raise SystemExit", "")
        assert "Worse" in await keys.ask("raise Worse")
        text = await keys.ask("'a' * 1_000_000")
        assert len(text) < 5000
        assert "1,000,000 items" in text
        text = await keys.ask("list(range(1_000_000))")
        assert len(text) < 5000
        assert "[0, 1, 2, " in text
        text = await keys.ask("['a' * 100_000]")
        assert len(text) < 70_000
        assert "characters left out" in text


@scenario
async def sessions_share_no_names(program: Program) -> None:
    async with talk(program) as one, talk(program) as two:
        await one.ask("mine = 1", "answer = 43", "5")
        assert "NameError" in await two.ask("mine")
        assert "NameError" in await two.ask("_")
        assert await two.ask("answer") == "42\n"
        assert await one.ask("answer + _") == "48\n"
    assert program.values["answer"] == 42
    assert "mine" not in program.values


@scenario
async def a_session_has_one_context(program: Program) -> None:
    program.values["var"] = var = contextvars.ContextVar("var", default="unset")
    async with talk(program) as one, talk(program) as two:
        await one.ask("import asyncio", "token = var.set('sync')")
        assert await one.ask("var.get()") == "'sync'\n"
        assert await one.ask("(await asyncio.sleep(0), var.get())[1]") == "'sync'\n"
        await one.ask("await asyncio.sleep(0); token = var.set('async')")
        assert await one.ask("var.get()") == "'async'\n"
        assert await two.ask("var.get()") == "'unset'\n"
    assert var.get() == "unset"


@scenario
async def respects_the_task_factory(program: Program) -> None:
    made = []
    loop = program.loops[0]

    def factory(loop: Any, coro: Any, **options: Any) -> Any:
        made.append(coro)
        return asyncio.Task(coro, loop=loop, **options)

    def broken(loop: Any, coro: Any, **options: Any) -> Any:
        raise RuntimeError("no tasks today")

    loop.call_soon_threadsafe(loop.set_task_factory, factory)
    try:
        async with talk(program) as keys:
            await keys.ask("import asyncio")
            assert await keys.ask("await asyncio.sleep(0, 1)") == "1\n"
            assert made
            loop.call_soon_threadsafe(loop.set_task_factory, broken)
            assert "no tasks today" in await keys.ask("await asyncio.sleep(0, 1)")
            # uvloop passes a keyword that the eager factories of 3.13.0 to 3.13.2 refuse.
            refused = (3, 13) <= sys.version_info < (3, 13, 3) and "uvloop" in type(loop).__module__
            if sys.version_info >= (3, 12) and not refused:
                loop.call_soon_threadsafe(loop.set_task_factory, asyncio.eager_task_factory)
                assert await keys.ask("await asyncio.sleep(0, 1)") == "1\n"
                await keys.ask("async def now(): return 4", "")
                assert await keys.ask("await now()") == "4\n"
    finally:
        loop.call_soon_threadsafe(loop.set_task_factory, None)


@scenario
async def a_lost_client_stops_its_statement(program: Program) -> None:
    ended: list[str] = []
    program.values["ended"] = ended
    for line in ("await asyncio.sleep(1000)", "while True: pass"):
        async with talk(program) as keys:
            await keys.ask("import asyncio")
            keys.type(
                "try:",
                "    print('begun')",
                f"    {line}",
                "finally:",
                "    ended.append('ended')",
                "",
            )
            await keys.reads("begun\n")
            keys.session.cancel()
            await asyncio.wait({keys.session})
            assert keys.session.cancelled()
            keys.session = asyncio.create_task(_fine())
            await keys.session
            await until(lambda: ended, "the statement has ended")
        ended.clear()
        await program.goes_on()


async def _fine() -> Any:
    from asyncconsole.model import Result

    return Result({})


@scenario
async def a_program_that_cancels_all_is_told(program: Program) -> None:
    async with talk(program) as keys:
        await keys.ask("import asyncio")
        keys.type("print('begun')", "await asyncio.sleep(1000)")
        await keys.reads("begun\n")
        loop = program.loops[0]

        def end() -> bool:
            found = [t for t in asyncio.all_tasks(loop) if t.get_name() == "asyncconsole-repl"]
            for task in found:
                loop.call_soon_threadsafe(task.cancel)
            return bool(found)

        await until(end, "its task is there")
        await keys.reads("CancelledError")
        await until(lambda: keys.waiting, "prompt")


@scenario
async def output_is_bounded(program: Program) -> None:
    async with talk(program) as keys:
        keys.taking.clear()  # a client that does not read
        keys.type("for i in range(20): print('x' * 1_000_000)", "", "'end'")
        await until(lambda: program.beats and not keys.waiting, "running")
        await program.goes_on()
        keys.taking.set()
        await keys.reads("'end'\n")
        assert "characters left out: printed faster than sent]" in keys.text
        assert len(keys.text) < 6_000_000


@scenario
async def chooses_the_loop(program: Program) -> None:
    second = asyncio.new_event_loop()
    thread = threading.Thread(target=second.run_forever, name="second")
    thread.start()
    program.loops.append(second)
    try:
        async with talk(program, "--loop", "2") as keys:
            await keys.ask("import asyncio, threading")
            assert "in loop 2" in keys.text
            assert (
                await keys.ask("await asyncio.sleep(0, threading.current_thread().name)")
                == "'second'\n"
            )
        async with talk(program, "--side") as keys:
            assert keys.prompts == ["side>>> "]
            assert await keys.ask("1") == "1\n"
        for options, error in (
            (["--loop", "9"], UnknownItemError),
            (["--loop", "1", "--side"], UsageError),
        ):
            try:
                async with talk(program, *options):
                    pass
            except error:
                pass
            else:
                raise AssertionError(options)
        async with talk(program, "--loop", "2") as keys:
            await keys.ask("import asyncio")
            keys.type("print('begun')", "await asyncio.sleep(1000)")
            await keys.reads("begun\n")
            await until(lambda: asyncio.all_tasks(second), "its task is there")
            for task in asyncio.all_tasks(second):
                second.call_soon_threadsafe(task.cancel)
            await keys.reads("CancelledError")
            second.call_soon_threadsafe(second.stop)
            thread.join(PATIENCE)
            second.close()
            assert "2\n" in await keys.ask("1 + 1")
            assert keys.prompts[-1] == "side>>> "
            assert "No loop 2. Going on in a side loop" in keys.text
        async with talk(program, "--loop", "2") as keys:
            assert "Loop 2 rests now" in keys.text
    finally:
        if not second.is_closed():
            second.call_soon_threadsafe(second.stop)
            thread.join(PATIENCE)
            second.close()
        program.loops.remove(second)


@scenario
async def presses_at_any_moment_hit_nothing_else(program: Program) -> None:
    async with talk(program) as keys:
        await keys.ask("import asyncio", "async def turns(n):", "    for _ in range(n):")
        await keys.ask("        await asyncio.sleep(0)", "        sum(range(50))", "")
        for turn in range(60):
            line = "for i in range(2000): pass" if turn % 2 else "await turns(40)"
            keys.type(line, *([""] if turn % 2 else []))
            await until(lambda: keys.listens or keys.waiting, "running")
            await asyncio.sleep(0.0002 * (turn % 7))
            if keys.listens:
                await keys.press()
            await until(lambda: keys.waiting, "prompt")
        await program.goes_on()


def play(report: str, which: list[str], *, uvloop: bool) -> None:
    """Play scenarios beside a loop in this (main) thread and write what came of them."""
    if uvloop:
        import uvloop as library

        loop = library.new_event_loop()
    else:
        loop = asyncio.new_event_loop()
    session.SOON = 0.4  # seconds; people get one
    program = Program([loop])
    loop.set_exception_handler(program.complain)
    results: dict[str, str] = {}

    async def one(function: Callable[[Program], Awaitable[None]]) -> None:
        program.values = {"program_loop": loop, "answer": 42}
        await function(program)
        await program.goes_on()

    def side() -> None:
        try:
            for name in which:
                try:
                    asyncio.run(asyncio.wait_for(one(SCENARIOS[name]), 60))
                    results[name] = ""
                except BaseException:
                    results[name] = traceback.format_exc()
                    program.complaints.clear()
        finally:
            Path(report).write_text(json.dumps(results))
            loop.call_soon_threadsafe(done.set_result, None)

    done = loop.create_future()
    ticker = loop.create_task(program.tick())
    thread = threading.Thread(target=side, name="side")
    thread.start()
    loop.run_until_complete(done)
    thread.join()
    ticker.cancel()
    loop.run_until_complete(asyncio.wait({ticker}))
    loop.close()


if __name__ == "__main__":
    words = sys.argv[2:]
    play(
        sys.argv[1],
        [word for word in words if word != "uvloop"] or list(SCENARIOS),
        uvloop="uvloop" in words,
    )
