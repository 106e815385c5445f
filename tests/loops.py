"""Wanted kinds of loops, for the programs that tests start as children."""

from __future__ import annotations

import asyncio
import runpy
import sys


def new_loop(kind):
    """A loop of a kind: ``asyncio``, ``debug``, ``eager`` or ``uvloop``."""
    if kind == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    loop = asyncio.new_event_loop()
    loop.set_debug(kind == "debug")
    if kind == "eager":
        loop.set_task_factory(asyncio.eager_task_factory)
    return loop


def run_coroutine(coroutine, kind):
    """`asyncio.run`, with a loop of that kind."""
    if sys.version_info >= (3, 11):
        with asyncio.Runner(loop_factory=lambda: new_loop(kind)) as runner:
            return runner.run(coroutine)
    loop = new_loop(kind)
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(coroutine)
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def run_program(path, kind):
    """Run a file as a program; wherever it calls `asyncio.run` or makes a loop, it is of that kind."""
    plain = asyncio.run

    def run(main, *, debug=None, **options):
        if kind == "asyncio" or options:
            return plain(main, debug=debug, **options)
        return run_coroutine(main, kind)

    asyncio.run = run
    sys.argv = [path]
    runpy.run_path(path, run_name="__main__")
