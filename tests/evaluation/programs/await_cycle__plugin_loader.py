"""Each plugin waits for the plugins that it requires; two of them require each other."""

import asyncio

EXPECT = {
    "kind": "await_cycle",
    "also": [],
    "verdict": ["deadlock"],
    "stuck": ["plugin:auth", "plugin:sessions"],
    "cause": [],
    "bystanders": ["spinner", "plugin:mailer"],
    "report": "python/cpython#80637",
    "tracked": False,
}

REQUIRES = {
    "database": [],
    "auth": ["database", "sessions"],
    "sessions": ["database", "auth"],
    "admin": ["auth"],
    "mailer": [],
}


class Loader:
    def __init__(self, requires):
        self.requires = requires
        self.loading = {}

    async def load(self, name):
        await asyncio.sleep(0.01)
        for other in self.requires[name]:
            await self.loading[other]
        if name == "mailer":
            await asyncio.sleep(600)  # connects to a slow server
        return name

    async def load_all(self):
        for name in self.requires:
            self.loading[name] = asyncio.create_task(self.load(name), name=f"plugin:{name}")
        await asyncio.wait(self.loading.values())


async def spin():
    while True:
        await asyncio.sleep(0.1)


async def main():
    spinner = asyncio.create_task(spin(), name="spinner")
    startup = asyncio.create_task(Loader(REQUIRES).load_all(), name="startup")
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await startup
    spinner.cancel()


if __name__ == "__main__":
    asyncio.run(main())
