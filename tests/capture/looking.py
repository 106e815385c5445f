"""The console's commands, asked from a side thread of the very process they look at."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import threading
import traceback

from asyncconsole.capture.program import shared
from asyncconsole.commands.dispatch import parse
from asyncconsole.diagnose import confirm
from asyncconsole.render.document import document
from asyncconsole.render.flow import flow
from asyncconsole.render.text import text
from asyncconsole.serve.live import LiveTarget


class Watch:
    """One look at a program: a snapshot, the verdict, and what commands print."""

    def __init__(self, loop):
        shared().loops.note(loop)
        self.result = {}

    def start(self, commands, done):
        """Look from a side thread; ``done()`` is called there at the end."""

        def look():
            try:
                # Not asyncio.run(): at its end it asks every task of the process for its loop.
                loop = asyncio.new_event_loop()
                self.result = loop.run_until_complete(self._ask(commands))
            except BaseException:
                traceback.print_exc()
            done()

        threading.Thread(target=look, name="asyncconsole-look", daemon=True).start()

    async def _ask(self, commands):
        target = LiveTarget(asyncio.get_running_loop())
        first = await target.snapshot("all")
        await target.settle()
        second = await target.snapshot("all")
        found = {
            "snapshot": dataclasses.asdict(second),
            "findings": [dataclasses.asdict(item) for item in confirm(first, second).findings],
            "texts": {},
            "documents": {},
        }
        for line in commands:
            words = [line]
            if line == "where":
                most = 20 if len(second.tasks) < 1000 else 2
                words = [f"where {task.id}" for task in second.tasks[:most]]
            for word in words:
                call = parse(word)
                shown, told = await _both(call, target)
                name = word
                if line == "where":
                    number = int(word.split()[1])
                    name = f"where {second.task(number).name}"
                found["texts"][name] = shown
                found["documents"][name] = json.loads(told)
        return found


async def _both(call, target):
    """What a command prints, and its document; what streams is asked twice."""
    result = await call.command.run(target, call.options)
    if result.flow is None:
        return text(result, width=None, colour=False), document(result)
    shown = [piece async for piece in flow(result.flow, json=False)]
    again = await call.command.run(target, call.options)
    told = [piece async for piece in flow(again.flow, json=True)]
    return "".join(shown), "".join(told)
