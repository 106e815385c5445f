"""A start-up stage waits for its integrations; one waits for a device that is not there."""

import asyncio
import socket

EXPECT = {
    "kind": "gather_hung_child",
    "also": [],
    "verdict": ["suspect"],
    "stuck": ["setup:heating"],
    "cause": ["stage-2"],
    "bystanders": ["state-machine", "setup:lights"],
    "report": "home-assistant/core#119847",
}


class Bus:
    """The other end of the cable is never read."""

    def __init__(self):
        self.near, self.far = socket.socketpair()
        self.near.setblocking(False)

    async def hello(self):
        await asyncio.get_running_loop().sock_sendall(self.near, b"hello?\n")
        return await asyncio.get_running_loop().sock_recv(self.near, 100)


async def setup_quick(seconds):
    await asyncio.sleep(seconds)


async def setup_heating(bus):
    return await bus.hello()


async def stage(bus):
    setups = {
        "lights": setup_quick(0.05),
        "covers": setup_quick(0.1),
        "sun": setup_quick(0),
        "heating": setup_heating(bus),
    }
    tasks = [asyncio.create_task(setup, name=f"setup:{name}") for name, setup in setups.items()]
    await asyncio.wait(tasks)


async def state_machine():
    while True:
        await asyncio.sleep(0.2)


async def main():
    running = asyncio.create_task(state_machine(), name="state-machine")
    second = asyncio.create_task(stage(Bus()), name="stage-2")
    await asyncio.sleep(1)
    print("READY", flush=True)
    await second
    running.cancel()


if __name__ == "__main__":
    asyncio.run(main())
