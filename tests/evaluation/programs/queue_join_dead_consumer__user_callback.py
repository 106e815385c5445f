"""A callback's error ends the consumer of an event queue; whoever joins the queue waits for ever."""

import asyncio

EXPECT = {
    "kind": "queue_join_dead_consumer",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["session-close"],
    "cause": ["transcripts", "ZeroDivisionError"],
    "bystanders": ["microphone"],
    "report": "openai/openai-agents-python#4198",
    "tracked": False,
}


class VoiceSession:
    def __init__(self, on_text):
        self._on_text = on_text
        self._events = asyncio.Queue()
        self._consumer = asyncio.create_task(self._consume(), name="transcripts")

    async def _consume(self):
        while True:
            words, seconds = await self._events.get()
            await self._on_text(words, seconds)
            self._events.task_done()

    def push(self, words, seconds):
        self._events.put_nowait((words, seconds))

    async def close(self):
        await self._events.join()
        self._consumer.cancel()


async def print_speed(words, seconds):
    await asyncio.sleep(0.01)
    return len(words) / seconds


async def microphone(levels):
    while True:
        await asyncio.sleep(0.1)
        levels.append(0)
        del levels[:-10]


async def main():
    session = VoiceSession(print_speed)
    listening = asyncio.create_task(microphone([]), name="microphone")
    session.push(["hello"], 1)
    session.push(["cut", "off"], 0)
    session.push(["good", "bye"], 2)
    await asyncio.sleep(0.05)
    closing = asyncio.create_task(session.close(), name="session-close")
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await closing
    listening.cancel()


if __name__ == "__main__":
    asyncio.run(main())
