"""Agents take a permit for each model call alone, and wait for their sub-agents without one."""

import asyncio

EXPECT = {"healthy": True, "like": "semaphore_nested"}


class Agents:
    def __init__(self, limit):
        self.model_slots = asyncio.Semaphore(limit)

    async def ask_model(self, prompt):
        async with self.model_slots:
            await asyncio.sleep(0.4)
            return len(prompt)

    async def run(self, name, depth):
        answer = await self.ask_model(f"plan {name}")
        if depth:
            answer += sum(
                await asyncio.gather(*(self.run(f"{name}.{i}", depth - 1) for i in range(4)))
            )
        return answer + await self.ask_model(f"sum up {name}")


async def main():
    agents = Agents(limit=2)
    root = asyncio.create_task(agents.run("root", depth=4), name="agent:root")
    await asyncio.sleep(1)
    print("READY", flush=True)
    await root


if __name__ == "__main__":
    asyncio.run(main())
