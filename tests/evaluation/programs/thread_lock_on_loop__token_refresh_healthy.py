"""A thread renews a token and keeps the lock for a moment; requests on the loop wait that long."""

import asyncio
import threading
import time

EXPECT = {"healthy": True, "like": "thread_lock_on_loop"}


class Token:
    def __init__(self):
        self.lock = threading.Lock()
        self.number = 0
        threading.Thread(target=self.renew, name="token-renewal", daemon=True).start()

    def renew(self):
        while True:
            time.sleep(0.2)
            with self.lock:
                time.sleep(0.05)
                self.number += 1

    def get(self):
        with self.lock:
            return self.number


async def request(token):
    while True:
        token.get()
        await asyncio.sleep(0.01)


async def main():
    token = Token()
    requests = [
        asyncio.create_task(request(token), name=f"request-{number}") for number in range(3)
    ]
    await asyncio.sleep(0.6)
    print("READY", flush=True)
    await asyncio.gather(*requests)


if __name__ == "__main__":
    asyncio.run(main())
