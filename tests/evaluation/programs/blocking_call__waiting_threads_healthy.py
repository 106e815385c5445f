"""Threads block for ever in sockets, queues and sleeps, as threads may; the loop is fine."""

import asyncio
import queue
import socket
import threading
import time

EXPECT = {"healthy": True, "like": "blocking_call"}


async def tick():
    while True:
        await asyncio.sleep(0.1)


async def main():
    near, far = socket.socketpair()
    for block in (lambda: near.recv(1), queue.Queue().get, lambda: time.sleep(10_000)):
        threading.Thread(target=block, daemon=True).start()
    ticking = asyncio.create_task(tick(), name="tick")
    waiting = asyncio.create_task(asyncio.to_thread(time.sleep, 5), name="nap")
    await asyncio.sleep(0.6)
    print("READY", flush=True)
    while True:
        await waiting
        waiting = asyncio.create_task(asyncio.to_thread(time.sleep, 5), name="nap")
        far.send(b"")
    await ticking


if __name__ == "__main__":
    asyncio.run(main())
