"""The default executor was cut to two threads; two requests in it call back for a third job."""

import asyncio
import concurrent.futures
import time

EXPECT = {
    "kind": "executor_reentry",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["render:a", "render:b"],
    "cause": ["worker"],
    "bystanders": ["probe"],
    "report": "django/asgiref#492",
}


class Site:
    def __init__(self, loop):
        self.loop = loop

    def read(self, name):
        time.sleep(0.05)
        return f"<p>{name}</p>"

    async def include(self, name):
        return await asyncio.to_thread(self.read, name)

    def render(self, name):
        time.sleep(0.2)
        including = asyncio.run_coroutine_threadsafe(self.include(name), self.loop)
        return "<html>" + including.result()

    async def page(self, name):
        return await asyncio.to_thread(self.render, name)


async def probe():
    while True:
        await asyncio.sleep(0.2)


async def main():
    loop = asyncio.get_running_loop()
    loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(2, thread_name_prefix="worker"))
    site = Site(loop)
    probing = asyncio.create_task(probe(), name="probe")
    pages = [asyncio.create_task(site.page(name), name=f"render:{name}") for name in "ab"]
    await asyncio.sleep(0.7)
    print("READY", flush=True)
    await asyncio.gather(*pages)
    probing.cancel()


if __name__ == "__main__":
    asyncio.run(main())
