"""A connection pool enters its Condition in `get_connection` and again in `disconnect`, in one task."""

import asyncio

EXPECT = {
    "kind": "self_deadlock",
    "also": [],
    "verdict": ["deadlock"],
    "stuck": ["command:GET"],
    "cause": [],
    "bystanders": ["subscriber"],
    "report": "redis/redis-py#3056",
    "tracked": False,
}


class Connection:
    def __init__(self, healthy):
        self.healthy = healthy


class BlockingPool:
    def __init__(self, size, timeout=None):
        self._condition = asyncio.Condition()
        self._available = [Connection(healthy=number != size - 1) for number in range(size)]
        self.timeout = timeout

    async def get_connection(self):
        async with self._condition:
            await self._condition.wait_for(lambda: self._available)
            connection = self._available.pop()
            if not connection.healthy:
                await self.disconnect(connection)
                connection = Connection(healthy=True)
            return connection

    async def disconnect(self, connection):
        async with self._condition:
            connection.healthy = False
            self._condition.notify_all()

    async def release(self, connection):
        async with self._condition:
            self._available.append(connection)
            self._condition.notify()


async def execute(pool, command):
    connection = await pool.get_connection()
    try:
        await asyncio.sleep(0.01)
        return command
    finally:
        await pool.release(connection)


async def subscriber(messages):
    while True:
        await asyncio.sleep(0.1)
        messages.append("tick")
        del messages[:-10]


async def main():
    pool = BlockingPool(2)
    listening = asyncio.create_task(subscriber([]), name="subscriber")
    await asyncio.sleep(0.05)
    commands = [asyncio.create_task(execute(pool, "GET"), name="command:GET")]
    await asyncio.sleep(0.1)
    commands.append(asyncio.create_task(execute(pool, "SET"), name="command:SET"))
    await asyncio.sleep(0.1)
    print("READY", flush=True)
    await asyncio.gather(*commands)
    listening.cancel()


if __name__ == "__main__":
    asyncio.run(main())
