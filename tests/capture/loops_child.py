"""Programs whose loops are looked for: ``loops_child.py SCENARIO LOOP``; prints JSON."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import sys
import threading
import time
import weakref
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from asyncconsole.capture.loops import LoopBook, waiting_callbacks
from asyncconsole.capture.running import thread_frames
from asyncconsole.capture.turn import turn_began


def plain(fact):
    return {
        "number": fact.number, "type": fact.type, "thread": fact.thread,
        "running": fact.running, "closed": fact.closed, "debug": fact.debug,
        "ready": fact.ready, "timers": fact.timers, "idle": fact.idle,
    }  # fmt: skip


def new_loop(kind):
    if kind == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    loop = asyncio.new_event_loop()
    loop.set_debug(kind == "debug")
    return loop


def run(coroutine, kind):
    """Run a coroutine as programs do: with a Runner where there is one."""
    if sys.version_info >= (3, 11):
        with asyncio.Runner(loop_factory=lambda: new_loop(kind)) as runner:
            return runner.run(coroutine)
    loop = new_loop(kind)
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()


class Background:
    """A loop in a thread of its own."""

    def __init__(self, kind):
        self.kind = kind
        self.up = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        assert self.up.wait(10)

    def _run(self):
        run(self._main(), self.kind)

    async def _main(self):
        self.loop = asyncio.get_running_loop()
        self.end = asyncio.Event()
        self.loop.call_later(3600, print)
        self.up.set()
        await self.end.wait()

    def close(self):
        self.loop.call_soon_threadsafe(self.end.set)
        self.thread.join(10)


def looked(book, when, patience=5.0):
    """Facts of the first look of which ``when`` is true, else of the last one."""
    end = time.monotonic() + patience
    while True:
        facts = book.find()
        if when(facts) or time.monotonic() > end:
            return facts
        time.sleep(0.01)


def threads(kind):
    """Two loops in two threads, and one of the console's own."""
    book = LoopBook()
    loops = [Background(kind), Background(kind)]
    own = Background("asyncio")
    book.ignore(own.loop)
    if sys.version_info < (3, 11) and kind == "uvloop":
        for each in loops:
            book.note(each.loop)
    facts = looked(book, lambda facts: len(facts) == 2 and all(fact.idle for fact in facts), 1.0)
    right = all(fact.reference() in [each.loop for each in loops] for fact in facts)
    idents = sorted(each.thread.ident for each in loops)
    for each in (*loops, own):
        each.close()
    return {"facts": [plain(fact) for fact in facts], "idents": idents, "right": right}


def inside(kind):
    """A look from the loop's own thread, out of a task."""
    book = LoopBook()

    async def main():
        loop = asyncio.get_running_loop()
        loop.call_soon(int)
        loop.call_later(0, int)
        loop.call_later(3600, int)
        cancelled = loop.call_later(3600, int)
        cancelled.cancel()
        time.sleep(0.01)
        waiting = waiting_callbacks(loop)
        if sys.version_info < (3, 11) or kind == "uvloop":
            book.note(loop)
        return waiting, [plain(fact) for fact in book.find()]

    waiting, facts = run(main(), kind)
    return {"facts": facts, "ident": threading.get_ident(), "waiting": waiting}


def later(kind):
    """Nothing at first; then one asyncio.run after the other, each with a loop of its own."""
    book = LoopBook()
    seen = [len(book.find())]
    kept = []

    async def main():
        book.note(asyncio.get_running_loop())
        kept.append(weakref.ref(asyncio.get_running_loop()))
        return [(fact.number, fact.running) for fact in book.find() if not fact.closed]

    seen += [run(main(), kind) for _ in range(3)]
    gc.collect()
    return {"seen": seen, "left": len(book.find()), "alive": sum(ref() is not None for ref in kept)}


def same_again(kind):
    """One loop that runs, stops, runs again and is closed keeps its number."""
    book = LoopBook()
    loop = new_loop(kind)

    async def main():
        book.note(loop)
        return [(fact.number, fact.running, fact.closed) for fact in book.find()]

    seen = [loop.run_until_complete(main())]
    seen.append([(fact.number, fact.running, fact.closed) for fact in book.find()])
    seen.append(loop.run_until_complete(main()))
    loop.close()
    seen.append([(fact.number, fact.running, fact.closed) for fact in book.find()])
    return {"seen": seen}


def nested(kind):
    """A loop run inside a callback of another one: both run, none is idle."""
    book = LoopBook()

    async def inner():
        book.note(asyncio.get_running_loop())
        return [plain(fact) for fact in book.find()]

    facts = []

    def callback():
        asyncio._set_running_loop(None)
        loop = new_loop(kind)
        try:
            facts.extend(loop.run_until_complete(inner()))
        finally:
            loop.close()
            asyncio._set_running_loop(around)
            around.stop()

    around = new_loop(kind)
    book.note(around)
    around.call_soon(callback)
    around.run_forever()
    around.close()
    return {"facts": facts}


def hostile(kind):
    """Loops that raise, lie or can't be hashed are reported, not raised."""

    class Bad(asyncio.SelectorEventLoop):
        def is_running(self):
            if armed:
                raise RuntimeError("on purpose")
            return super().is_running()

        def __getattribute__(self, name):
            if name in {"_ready", "_thread_id"} and armed:
                raise RuntimeError("on purpose")
            return super().__getattribute__(name)

    class Foreign(asyncio.AbstractEventLoop):
        pass  # every method raises NotImplementedError

    armed = False
    book = LoopBook()
    bad, foreign = Bad(), Foreign()
    book.note(bad)
    book.note(foreign)
    book.note(None)
    armed = True
    facts = [plain(fact) for fact in book.find()]
    armed = False
    bad.close()
    return {"facts": facts, "unnoted": book.note(object())}


def leaves_nothing(kind):
    """A look keeps no frame of another thread alive."""
    book = LoopBook()
    gc.disable()
    references = []

    class Thing:
        pass

    def work(started, end):
        thing = Thing()
        references.append(weakref.ref(thing))
        started.set()
        end.wait(10)

    for _ in range(5):
        started, end = threading.Event(), threading.Event()
        thread = threading.Thread(target=work, args=(started, end))
        thread.start()
        assert started.wait(10)
        book.find()
        thread_frames()
        end.set()
        thread.join(10)
    return {"alive": sum(reference() is not None for reference in references)}


def began(kind):
    """The time at which a turn began, asked while it runs: after its timer, before its work."""

    async def main():
        loop = asyncio.get_running_loop()
        slept = time.monotonic()
        await asyncio.sleep(0.05)
        before = time.monotonic()
        time.sleep(0.05)
        return slept, turn_began(loop, threading.get_ident()), before

    return run(main(), kind)


SCENARIOS = {
    function.__name__: function
    for function in (
        threads, inside, later, same_again, nested, hostile, leaves_nothing, began,
    )
}  # fmt: skip


if __name__ == "__main__":
    signal.alarm(60)
    print(json.dumps(SCENARIOS[sys.argv[1]](sys.argv[2])))
