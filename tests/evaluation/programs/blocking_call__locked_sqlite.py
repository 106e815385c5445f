"""A handler writes with sqlite3 while an import, in a thread, has the database locked."""

import asyncio
import pathlib
import sqlite3
import tempfile
import threading
import time

EXPECT = {
    "kind": "blocking_call",
    "also": [],
    "verdict": ["stall"],
    "stuck": ["save:order"],
    "cause": ["blocking_call__locked_sqlite.py"],
    "bystanders": ["heartbeat"],
    "report": "xorbitsai/xagent#935",
}


def long_import(file, started):
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("create table orders (number)")
    database.execute("begin exclusive")
    started.set()
    time.sleep(300)
    database.execute("commit")


async def save(file):
    await asyncio.sleep(0.2)
    database = sqlite3.connect(file, timeout=120, isolation_level=None)
    print("READY", flush=True)
    database.execute("insert into orders values (17)")


async def heartbeat():
    while True:
        await asyncio.sleep(0.1)


async def main(file):
    beating = asyncio.create_task(heartbeat(), name="heartbeat")
    await asyncio.create_task(save(file), name="save:order")
    beating.cancel()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        FILE = pathlib.Path(folder) / "shop.db"
        STARTED = threading.Event()
        threading.Thread(target=long_import, args=(FILE, STARTED), daemon=True).start()
        STARTED.wait()
        asyncio.run(main(FILE))
