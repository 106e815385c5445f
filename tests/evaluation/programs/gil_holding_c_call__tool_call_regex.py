"""A chat server parses each answer with a regular expression that backtracks for seconds."""

import asyncio
import re

EXPECT = {
    "kind": "gil_holding_c_call",
    "also": [],
    "verdict": ["stall"],
    "stuck": ["chat:parse"],
    "cause": ["gil_holding_c_call__tool_call_regex.py"],
    "bystanders": ["stream", "chat:ask"],
    "report": "vllm-project/vllm#18304",
}

TOOL_CALL = re.compile(r"<tool>(\s*\w+\s*=?\s*)*</tool>")


def answer():
    """What the model wrote: a call whose end is missing."""
    return "<tool>search" + "x" * 17


async def parse(texts):
    while True:
        text = await texts.get()
        TOOL_CALL.match(text)
        await asyncio.sleep(3)


async def ask(texts):
    await asyncio.sleep(0.5)
    print("READY", flush=True)
    while True:
        await texts.put(answer())
        await asyncio.sleep(0.5)


async def stream():
    while True:
        await asyncio.sleep(0.1)


async def main():
    texts = asyncio.Queue(1)
    tasks = [
        asyncio.create_task(stream(), name="stream"),
        asyncio.create_task(ask(texts), name="chat:ask"),
        asyncio.create_task(parse(texts), name="chat:parse"),
    ]
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
