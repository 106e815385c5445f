"""Integrations wait for the one that they need; that one failed before it could say that it is up."""

import asyncio

EXPECT = {
    "kind": "event_never_set",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["setup:lights", "setup:blinds"],
    "cause": ["setup:hub", "ConnectionRefusedError"],
    "bystanders": ["setup:weather", "clock"],
    "report": "home-assistant/core#43657",
    "tracked": False,
}


class Home:
    def __init__(self):
        self.up = {name: asyncio.Event() for name in ("hub", "lights", "blinds", "weather")}

    async def setup_hub(self):
        await asyncio.sleep(0.02)
        raise ConnectionRefusedError("hub.local:443")

    async def setup_weather(self):
        while True:
            await asyncio.sleep(0.2)

    async def setup_device(self):
        await self.up["hub"].wait()
        await asyncio.sleep(0.01)

    async def setup(self, name):
        if name == "hub":
            await self.setup_hub()
        elif name == "weather":
            await self.setup_weather()
        else:
            await self.setup_device()
        self.up[name].set()


async def clock():
    while True:
        await asyncio.sleep(0.1)


async def main():
    home = Home()
    ticking = asyncio.create_task(clock(), name="clock")
    stage_one = [asyncio.create_task(home.setup(name), name=f"setup:{name}") for name in home.up]
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*stage_one, return_exceptions=True)
    ticking.cancel()


if __name__ == "__main__":
    asyncio.run(main())
