"""A healthy, busy web shop (aiohttp): workers, a queue, a lock that is sometimes held long."""

import argparse
import asyncio
import random
import signal
from functools import partial

from aiohttp import ClientSession, web

say = partial(print, flush=True)

STOCK = {"tea": 500, "coffee": 500, "sugar": 500}
stock_lock = asyncio.Lock()
orders: "asyncio.Queue[str]" = asyncio.Queue(maxsize=100)
packed = 0


async def show_stock(_request: web.Request) -> web.Response:
    """``GET /stock``."""
    return web.json_response(STOCK)


async def take_order(request: web.Request) -> web.Response:
    """``POST /orders/tea``: accept an order; a worker packs it later."""
    item = request.match_info["item"]
    if item not in STOCK:
        raise web.HTTPNotFound
    await orders.put(item)
    return web.json_response({"waiting": orders.qsize()}, status=202)


async def pack() -> None:
    """Take orders from the queue and goods from the shelf."""
    global packed  # noqa: PLW0603 - one counter for all workers
    while True:
        item = await orders.get()
        async with stock_lock:
            STOCK[item] -= 1
            await asyncio.sleep(0.002)
        packed += 1
        orders.task_done()


async def restock() -> None:
    """Fill the shelves; holds the stock lock for up to three seconds while counting."""
    while True:
        await asyncio.sleep(random.uniform(4, 8))
        async with stock_lock:
            await asyncio.sleep(random.uniform(1, 3))
            STOCK.update(dict.fromkeys(STOCK, 500))


async def shopper(url: str) -> None:
    """Look and buy, like a customer in a hurry."""
    async with ClientSession(url) as session:
        while True:
            async with session.get("/stock") as answer:
                items = list(await answer.json())
            async with session.post(f"/orders/{random.choice(items)}") as answer:
                await answer.read()
            await asyncio.sleep(random.expovariate(10))


async def report() -> None:
    """Say how business goes."""
    while True:
        await asyncio.sleep(2)
        say(f"{packed} orders packed, {orders.qsize()} wait")


async def main(port: int) -> None:
    """Serve until told to stop, then end in order."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))
    loop = asyncio.get_running_loop()
    app = web.Application()
    app.add_routes([web.get("/stock", show_stock), web.post("/orders/{item}", take_order)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    say(f"the shop is open: {url}/stock")
    staff = [asyncio.create_task(pack(), name=f"worker:{n}") for n in range(4)]
    staff += [asyncio.create_task(shopper(url), name=f"shopper:{n}") for n in range(8)]
    staff.append(asyncio.create_task(restock(), name="restock"))
    staff.append(asyncio.create_task(report(), name="report"))
    stop = asyncio.create_task(stopped.wait(), name="stop")
    await asyncio.wait([stop, *staff], return_when=asyncio.FIRST_COMPLETED)
    for task in staff:
        task.cancel()
    ended = await asyncio.gather(*staff, return_exceptions=True)
    await runner.cleanup()
    say(f"the shop is closed, {packed} orders packed")
    for error in ended:
        if isinstance(error, Exception):  # not CancelledError
            raise error


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    asyncio.run(main(parser.parse_args().port))
