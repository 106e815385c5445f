"""A synchronous facade over an async store is called from a coroutine of the store's own loop."""

import asyncio
import concurrent.futures

EXPECT = {
    "kind": "threadsafe_result_on_loop",
    "also": [],
    "verdict": ["deadlock", "stall"],
    "stuck": ["graph:invoke"],
    "cause": [],
    "bystanders": ["ticker"],
    "report": "langchain-ai/langgraph#1800",
}


class Checkpoints:
    def __init__(self, loop):
        self.loop = loop
        self.saved = {}

    async def aget(self, thread):
        await asyncio.sleep(0.02)
        return self.saved.get(thread, {"step": 0})

    async def aput(self, thread, state):
        await asyncio.sleep(0.02)
        self.saved[thread] = state

    def get(self, thread):
        return asyncio.run_coroutine_threadsafe(self.aget(thread), self.loop).result()

    def put(self, thread, state):
        writing = asyncio.run_coroutine_threadsafe(self.aput(thread, state), self.loop)
        concurrent.futures.wait([writing])


class Graph:
    def __init__(self, checkpoints):
        self.checkpoints = checkpoints

    def invoke(self, thread):
        state = self.checkpoints.get(thread)
        state = {"step": state["step"] + 1}
        self.checkpoints.put(thread, state)
        return state


async def ticker():
    while True:
        await asyncio.sleep(0.1)


async def chat(graph):
    await asyncio.to_thread(graph.invoke, "t1")  # from a thread it works
    print("READY", flush=True)
    return graph.invoke("t1")


async def main():
    graph = Graph(Checkpoints(asyncio.get_running_loop()))
    ticking = asyncio.create_task(ticker(), name="ticker")
    await asyncio.create_task(chat(graph), name="graph:invoke")
    ticking.cancel()


if __name__ == "__main__":
    asyncio.run(main())
