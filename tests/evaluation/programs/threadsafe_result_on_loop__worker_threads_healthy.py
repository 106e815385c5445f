"""Worker threads ask the loop for results and wait for them, which is what result() is for."""

import asyncio
import threading

EXPECT = {"healthy": True, "like": "threadsafe_result_on_loop"}


class Database:
    def __init__(self, loop):
        self.loop = loop

    async def query(self, number):
        await asyncio.sleep(0.3)
        return number * number

    def query_sync(self, number):
        return asyncio.run_coroutine_threadsafe(self.query(number), self.loop).result()


def work(database):
    number = 0
    while True:
        number = database.query_sync(number) + 1
        number %= 1000


async def main():
    database = Database(asyncio.get_running_loop())
    for number in range(3):
        threading.Thread(
            target=work, args=(database,), name=f"worker-{number}", daemon=True
        ).start()
    await asyncio.sleep(0.7)
    print("READY", flush=True)
    while True:
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    asyncio.run(main())
