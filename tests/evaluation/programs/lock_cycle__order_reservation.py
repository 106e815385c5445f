"""A shop reserves the items of an order one by one; two orders list the same items the other way."""

import asyncio

EXPECT = {
    "kind": "lock_cycle",
    "also": [],
    "verdict": ["deadlock"],
    "stuck": ["order:1001", "order:1002"],
    "cause": ["lamp", "desk"],
    "bystanders": ["restock", "order:1004"],
    "report": "python-trio/trio#182",
    "tracked": False,
}


class Warehouse:
    def __init__(self, stock):
        self.stock = dict(stock)
        self.locks = {sku: asyncio.Lock() for sku in stock}

    async def reserve(self, skus):
        if not skus:
            return []
        sku, *rest = skus
        async with self.locks[sku]:
            await asyncio.sleep(0.02)  # asks the stock database
            self.stock[sku] -= 1
            return [sku, *await self.reserve(rest)]


async def fulfil(warehouse, skus):
    reserved = await warehouse.reserve(skus)
    await asyncio.sleep(0.01)
    return reserved


async def restock(warehouse):
    while True:
        await asyncio.sleep(0.1)
        async with warehouse.locks["chair"]:
            warehouse.stock["chair"] += 1


async def main():
    warehouse = Warehouse({"lamp": 10, "desk": 4, "chair": 1})
    refill = asyncio.create_task(restock(warehouse), name="restock")
    orders = [
        asyncio.create_task(fulfil(warehouse, ["lamp", "desk"]), name="order:1001"),
        asyncio.create_task(fulfil(warehouse, ["desk", "lamp"]), name="order:1002"),
    ]
    await asyncio.sleep(0.2)
    orders.append(asyncio.create_task(fulfil(warehouse, ["desk"]), name="order:1003"))
    orders.append(asyncio.create_task(fulfil(warehouse, ["chair"]), name="order:1004"))
    await asyncio.sleep(0.1)
    print("READY", flush=True)
    await asyncio.gather(*orders)
    refill.cancel()


if __name__ == "__main__":
    asyncio.run(main())
