"""Three importers fill a small queue faster than its only writer empties it, row by row."""

import asyncio

EXPECT = {"healthy": True, "like": "queue_full_no_consumer"}


async def importer(rows, name):
    number = 0
    while True:
        number += 1
        await rows.put((name, number))


async def writer(rows, table):
    while True:
        table.append(await rows.get())
        del table[:-100]
        await asyncio.sleep(1.2)  # the database is slow today


async def main():
    rows = asyncio.Queue(maxsize=5)
    tasks = [asyncio.create_task(importer(rows, n), name=f"importer:{n}") for n in ("a", "b", "c")]
    tasks.append(asyncio.create_task(writer(rows, []), name="db-writer"))
    await asyncio.sleep(0.3)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
