"""A channel's finalizer joins its thread; the GC runs it on the loop that the thread waits for."""

import asyncio
import gc
import threading

EXPECT = {
    "kind": "del_teardown",
    "also": [],
    "verdict": ["deadlock", "stall"],
    "stuck": [],
    "cause": ["__del__"],
    "bystanders": ["heartbeat"],
    "report": "grpc/grpc#36927",
}


class Channel:
    def __init__(self, loop):
        self.loop = loop
        self.me = self  # a cycle: only the garbage collector ends a channel
        self.closing = threading.Event()
        self.poller = threading.Thread(
            target=self.poll, args=(loop, self.closing), name="channel-poller", daemon=True
        )
        self.poller.start()

    @staticmethod
    async def goodbye():
        await asyncio.sleep(0)

    @staticmethod
    def poll(loop, closing):
        closing.wait()
        asyncio.run_coroutine_threadsafe(Channel.goodbye(), loop).result()

    async def call(self, method):
        await asyncio.sleep(0.05)
        return method

    def __del__(self):
        self.closing.set()
        print("READY", flush=True)
        self.poller.join()


async def lookup():
    channel = Channel(asyncio.get_running_loop())
    return await channel.call("Lookup")


async def build_report():
    await asyncio.sleep(0.4)
    table = [{"row": number, "cells": [[] for _ in range(3)]} for number in range(20000)]
    gc.collect()
    return len(table)


async def heartbeat():
    while True:
        await asyncio.sleep(0.1)


async def main():
    gc.disable()  # the collection shall come when the report is built, not by chance before
    beating = asyncio.create_task(heartbeat(), name="heartbeat")
    await asyncio.create_task(lookup(), name="lookup")
    await asyncio.create_task(build_report(), name="report:build")
    beating.cancel()


if __name__ == "__main__":
    asyncio.run(main())
