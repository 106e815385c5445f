"""A retry helper from the synchronous days waits with time.sleep, longer after each failure."""

import asyncio
import time

EXPECT = {
    "kind": "blocking_call",
    "also": [],
    "verdict": ["stall"],
    "stuck": ["push:metrics"],
    "cause": ["with_backoff"],
    "bystanders": ["websocket", "scheduler"],
    "report": "home-assistant/core#126348",
}


def with_backoff(function, attempts):
    pause = 0.05
    for _ in range(attempts):
        try:
            return function()
        except ConnectionError:
            time.sleep(pause)
            pause *= 20
    raise ConnectionError


class Gateway:
    def __init__(self):
        self.tried = 0

    def push(self):
        self.tried += 1
        if self.tried == 2:
            print("READY", flush=True)
        raise ConnectionRefusedError


async def push_metrics(gateway):
    while True:
        await asyncio.sleep(0.3)
        with_backoff(gateway.push, 4)


async def every(seconds):
    while True:
        await asyncio.sleep(seconds)


async def main():
    await asyncio.gather(
        asyncio.create_task(every(0.1), name="websocket"),
        asyncio.create_task(every(0.4), name="scheduler"),
        asyncio.create_task(push_metrics(Gateway()), name="push:metrics"),
    )


if __name__ == "__main__":
    asyncio.run(main())
