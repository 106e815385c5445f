"""An agent runs its tools side by side; one waits for an approval that was denied by silence."""

import asyncio

EXPECT = {
    "kind": "gather_hung_child",
    "also": ["never_resolved_future"],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["tool:delete_file"],
    "cause": ["agent-turn"],
    "bystanders": ["spinner", "tool:read_file"],
    "report": "UKGovernmentBEIS/inspect_ai#5171",
}


class Approvals:
    def __init__(self):
        self.asked = {}

    async def ask(self, what):
        self.asked[what] = asyncio.get_running_loop().create_future()
        return await self.asked[what]

    def decide(self, what, allowed):
        answer = self.asked.pop(what)
        if allowed:
            answer.set_result(True)
        # a denial has no event of its own, and so nobody is told


async def read_file(approvals):
    await asyncio.sleep(0.05)
    return "text"


async def list_folder(approvals):
    await asyncio.sleep(0.1)
    return ["a", "b"]


async def delete_file(approvals):
    if await approvals.ask("delete_file"):
        return "deleted"
    return "denied"


async def user(approvals):
    while "delete_file" not in approvals.asked:
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
    approvals.decide("delete_file", allowed=False)


async def turn(approvals):
    tools = (read_file, list_folder, delete_file)
    return await asyncio.gather(
        *(asyncio.create_task(tool(approvals), name=f"tool:{tool.__name__}") for tool in tools)
    )


async def spinner():
    while True:
        await asyncio.sleep(0.1)


async def main():
    approvals = Approvals()
    spinning = asyncio.create_task(spinner(), name="spinner")
    asking = asyncio.create_task(user(approvals), name="user")
    agent = asyncio.create_task(turn(approvals), name="agent-turn")
    await asking
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await agent
    spinning.cancel()


if __name__ == "__main__":
    asyncio.run(main())
