"""An event publisher that waits for a queue whose consumer has died: ``queue.join`` for ever."""

import asyncio
import json
import signal
from contextlib import suppress
from functools import partial

say = partial(print, flush=True)

EVENTS: "asyncio.Queue[str]" = asyncio.Queue()


async def consume() -> None:
    """Store event after event; the first malformed one ends this task."""
    while True:
        event = json.loads(await EVENTS.get())
        await asyncio.sleep(0.05)  # writes it to the store
        say(f"stored {event['name']}")
        EVENTS.task_done()


async def flush() -> None:
    """Wait until everything published so far is stored."""
    await EVENTS.join()
    say("flushed")


async def publish() -> None:
    """Publish a batch of events a second and flush it."""
    for batch in range(1, 10_000):
        for number in range(4):
            # A name is cut off in the second batch, as by a broken log shipper.
            text = json.dumps({"name": f"event {batch}.{number}"})
            EVENTS.put_nowait(text if (batch, number) != (2, 1) else text[:9])
        await flush()
        await asyncio.sleep(1)


async def heartbeat() -> None:
    """Say how many events wait."""
    while True:
        await asyncio.sleep(1)
        say(f"{EVENTS.qsize()} events wait for the consumer")


async def main() -> None:
    """Run consumer and publisher."""
    consumer = asyncio.create_task(consume(), name="consumer")
    await asyncio.gather(
        asyncio.create_task(publish(), name="publisher"),
        asyncio.create_task(heartbeat(), name="heartbeat"),
    )
    consumer.cancel()


def stop(*_: object) -> None:
    """End at once on Ctrl-C and on ``docker stop``."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
    say("the publisher stopped")
