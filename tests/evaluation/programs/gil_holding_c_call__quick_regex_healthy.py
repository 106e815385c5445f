"""Many regular expressions and sorts on the loop, each over in a few milliseconds."""

import asyncio
import random
import re

EXPECT = {"healthy": True, "like": "gil_holding_c_call"}

WORD = re.compile(r"(\w+)\s")


async def index(number):
    numbers = [random.random() for _ in range(5000)]
    while True:
        WORD.findall("the quick brown fox " * 500)
        sorted(numbers)
        await asyncio.sleep(0.02 + number / 100)


async def main():
    tasks = [asyncio.create_task(index(number), name=f"index:{number}") for number in range(3)]
    await asyncio.sleep(0.5)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
