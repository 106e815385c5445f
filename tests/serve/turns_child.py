"""Reads 2,000 tasks of a loop that is busy, idle, or busy until it blocks; prints what happened."""

from __future__ import annotations

import asyncio
import gc
import json
import selectors
import sys
import threading

from asyncconsole.capture import drafts
from asyncconsole.serve import turns
from asyncconsole.serve.live import LiveTarget

TASKS = 2_000


class Counted(selectors.DefaultSelector):
    """Counts how often its loop came back from waiting."""

    turns = 0

    def select(self, timeout=None):
        found = super().select(timeout)
        self.turns += 1
        return found


async def spin():
    while True:
        await asyncio.sleep(0)


def serve(kind, selector, ready):
    async def main():
        waits = asyncio.Event()
        tasks = [asyncio.ensure_future(waits.wait()) for _ in range(TASKS)]
        if kind != "idle":
            tasks.append(asyncio.ensure_future(spin()))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(ready.set)
        await asyncio.wait(tasks)

    loop = asyncio.SelectorEventLoop(selector)
    loop.run_until_complete(main())


def main():
    kind = sys.argv[1]
    selector = Counted()
    ready, release, blocked = (threading.Event() for _ in range(3))
    thread = threading.Thread(target=serve, args=(kind, selector, ready), daemon=True)
    thread.start()
    assert ready.wait(30)
    read = drafts.read
    places = {"loop": 0, "side": 0}

    def watched(draft, **options):
        on_loop = threading.get_ident() == thread.ident
        places["loop" if on_loop else "side"] += 1
        if kind == "blocks" and on_loop and places["loop"] == 500:
            asyncio.get_running_loop().call_soon(block)
        read(draft, **options)

    def block():
        blocked.set()
        release.wait(60)

    drafts.read = watched
    turns.PATIENCE = 2.0  # a machine that is busy with other things is not what is tested

    async def look():
        target = LiveTarget(asyncio.get_running_loop(), stall_threshold=0)
        await asyncio.sleep(0.3)  # an idle loop has settled
        before = selector.turns
        found = await target.snapshot("tasks")
        streamed = [piece async for piece in target.stream()] if kind != "blocks" else [found]
        report = {
            "turns": selector.turns - before,
            "seen": sum(task.wait is not None for task in found.tasks),
            "streamed": sum(task.wait is not None for piece in streamed for task in piece.tasks),
            "gaps": [gap.why for gap in found.gaps],
            "rests": not gc.isenabled(),  # while the big snapshot is alive
        }
        del found, streamed
        for _ in range(500):
            if gc.isenabled():
                break
            await asyncio.sleep(0.02)
        report["awake"] = gc.isenabled()
        target.close()
        return report

    report = asyncio.run(look())
    report |= {"places": places, "blocked": blocked.is_set()}
    json.dump(report, sys.stdout)
    release.set()


if __name__ == "__main__":
    main()
