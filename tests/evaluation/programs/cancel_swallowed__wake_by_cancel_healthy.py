"""A poller is woken from its pause by cancel(), which it catches, takes back, and polls again."""

import asyncio

EXPECT = {"healthy": True, "like": "cancel_swallowed"}


class Poller:
    def __init__(self):
        self.polls = 0
        self.task = asyncio.create_task(self.run(), name="poller")

    async def run(self):
        while True:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if hasattr(task, "uncancel"):
                    task.uncancel()
            self.polls += 1

    def poll_now(self):
        self.task.cancel()


async def button(poller):
    while True:
        await asyncio.sleep(0.6)
        poller.poll_now()


async def main():
    poller = Poller()
    pressing = asyncio.create_task(button(poller), name="button")
    await asyncio.sleep(1.4)
    print("READY", flush=True)
    await pressing


if __name__ == "__main__":
    asyncio.run(main())
