"""A helper made for threads collects coroutines' results with as_completed, called on the loop."""

import asyncio
import concurrent.futures

EXPECT = {
    "kind": "threadsafe_result_on_loop",
    "also": ["blocking_call"],
    "verdict": ["deadlock", "stall"],
    "stuck": ["tool-call"],
    "cause": ["search"],
    "bystanders": ["stream-tokens"],
    "report": "ray-project/ray#7197",
}


class Tools:
    def __init__(self, loop):
        self.loop = loop

    async def search(self, word):
        await asyncio.sleep(0.1)
        return f"about {word}"

    def collect(self, words):
        jobs = [asyncio.run_coroutine_threadsafe(self.search(word), self.loop) for word in words]
        return [job.result() for job in concurrent.futures.as_completed(jobs)]


async def call_tool(tools):
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    return tools.collect(["cats", "dogs"])


async def stream_tokens():
    while True:
        await asyncio.sleep(0.05)


async def main():
    tools = Tools(asyncio.get_running_loop())
    streaming = asyncio.create_task(stream_tokens(), name="stream-tokens")
    print(await asyncio.create_task(call_tool(tools), name="tool-call"), flush=True)
    streaming.cancel()


if __name__ == "__main__":
    asyncio.run(main())
