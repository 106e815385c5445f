"""Which handler would catch a cancellation and let its task go on, by the source."""

# ruff: noqa: SIM105, TRY203 - such code is what is read

from __future__ import annotations

import asyncio
import contextlib
import inspect
import types

import pytest

from asyncconsole.capture import chain
from asyncconsole.capture.catches import catcher

ALIVE = [True]


def alive():
    return ALIVE[0]


@types.coroutine
def pause():
    yield


TRANSIENT = (OSError, asyncio.CancelledError)
HARMLESS = (OSError, ValueError)


async def bare():
    while alive():
        try:
            await pause()
        except:  # noqa: E722 HERE
            pass


async def base():
    while alive():
        try:
            await pause()
        except ValueError:
            raise
        except BaseException as error:  # HERE
            print(error)


async def by_variable():
    while alive():
        try:
            await pause()
        except TRANSIENT:  # HERE
            await pause()


async def suppressed():
    for _ in iter(alive, False):
        with contextlib.suppress(asyncio.CancelledError):  # HERE
            await pause()


async def outer():
    while alive():
        try:
            await passes_on()
        except (KeyError, asyncio.CancelledError):  # HERE
            continue


async def shielded():
    try:
        await pause()
    except asyncio.CancelledError:
        while alive():
            try:
                await pause()
            except asyncio.CancelledError:  # HERE
                continue
        raise


async def passes_on():
    try:
        await pause()
    except asyncio.CancelledError:
        raise


async def exceptions():
    while alive():
        try:
            await pause()
        except Exception:
            pass


async def first_raises():
    while alive():
        try:
            await pause()
        except asyncio.CancelledError:
            raise
        except BaseException:
            pass


async def leaves():
    while alive():
        try:
            await pause()
        except asyncio.CancelledError:
            break


async def no_loop():
    try:
        await pause()
    except asyncio.CancelledError:
        pass


async def harmless():
    while alive():
        try:
            await pause()
        except HARMLESS:
            pass


class Poller:
    async def method(self):
        while alive():
            try:
                await pause()
            except BaseException:  # HERE
                self.failed = True

    async def another(self):
        """So that something with the same indentation follows."""


CATCH = [bare, base, by_variable, suppressed, outer, shielded, Poller.method]
PASS = [passes_on, exceptions, first_raises, leaves, no_loop, harmless]


def found(function, *, cancel=False):
    """What would catch a cancellation of a coroutine where it waits."""
    coroutine = function(Poller()) if function is Poller.method else function()
    ALIVE[0] = True
    coroutine.send(None)
    if cancel:
        coroutine.throw(asyncio.CancelledError())
    try:
        return catcher(chain.walk(coroutine))
    finally:
        ALIVE[0] = False
        with contextlib.suppress(StopIteration, asyncio.CancelledError, RuntimeError):
            while True:
                coroutine.send(None)


@pytest.mark.parametrize("function", CATCH, ids=lambda function: function.__name__)
def test_a_handler_that_goes_on_is_found(function):
    source, first = inspect.getsourcelines(function)
    (line,) = [first + index for index, text in enumerate(source) if "HERE" in text]
    frame = found(function, cancel=function is shielded)
    assert (frame.line, frame.file) == (line, __file__)


@pytest.mark.parametrize("function", PASS, ids=lambda function: function.__name__)
def test_a_handler_that_lets_it_pass_is_not(function):
    assert found(function) is None


def test_code_without_a_source_is_none():
    space = {"pause": pause, "alive": alive}
    text = "async def f():\n    while alive():\n        try:\n            await pause()\n        except: pass\n"
    exec(compile(text, "nowhere.py", "exec"), space)
    assert found(space["f"]) is None
