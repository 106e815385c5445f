"""A poller's catch-all takes the cancellation for one more failure and polls on."""

import asyncio

EXPECT = {
    "kind": "cancel_swallowed",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["mail-poller"],
    "cause": ["shutdown"],
    "bystanders": ["metrics"],
    "report": "python/cpython#87555",
}


class Mailbox:
    def __init__(self):
        self.seen = 0
        self.errors = []

    async def check(self):
        await asyncio.sleep(0.2)
        self.seen += 1


async def poll(mailbox):
    while True:
        try:
            await mailbox.check()
            await asyncio.sleep(0.3)
        except BaseException as error:  # servers drop idle connections; never give up
            mailbox.errors.append(repr(error))


async def metrics(mailbox):
    while True:
        await asyncio.sleep(0.5)
        del mailbox.errors[:-3]


async def shutdown(poller):
    await asyncio.sleep(0.35)
    poller.cancel()
    try:
        await poller
    except asyncio.CancelledError:
        print("poller gone", flush=True)


async def main():
    mailbox = Mailbox()
    counting = asyncio.create_task(metrics(mailbox), name="metrics")
    poller = asyncio.create_task(poll(mailbox), name="mail-poller")
    stopping = asyncio.create_task(shutdown(poller), name="shutdown")
    await asyncio.sleep(0.6)
    print("READY", flush=True)
    await stopping
    counting.cancel()


if __name__ == "__main__":
    asyncio.run(main())
