"""A bot waits until it is ready inside the hook that runs before it can become ready."""

import asyncio

EXPECT = {
    "kind": "event_never_set",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["bot-start"],
    "cause": ["_ready"],
    "bystanders": ["gateway-heartbeat"],
    "report": "Rapptz/discord.py#7701",
    "tracked": False,
}


class Client:
    def __init__(self):
        self._ready = asyncio.Event()
        self.guilds = []

    async def setup_hook(self):
        """Is for subclasses."""

    async def wait_until_ready(self):
        await self._ready.wait()

    async def login(self):
        await asyncio.sleep(0.02)
        await self.setup_hook()

    async def connect(self):
        await asyncio.sleep(0.05)
        self.guilds.append("home")
        self._ready.set()
        await asyncio.sleep(3600)

    async def start(self):
        await self.login()
        await self.connect()


class MusicBot(Client):
    async def setup_hook(self):
        await self.wait_until_ready()
        self.channel = self.guilds[0]


async def beat():
    while True:
        await asyncio.sleep(0.1)


async def main():
    bot = MusicBot()
    heart = asyncio.create_task(beat(), name="gateway-heartbeat")
    start = asyncio.create_task(bot.start(), name="bot-start")
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await start
    heart.cancel()


if __name__ == "__main__":
    asyncio.run(main())
