"""A web app's background jobs are kept with the response; the middleware forgets to run them."""

import asyncio

EXPECT = {
    "kind": "unawaited_coroutine",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["invoice:412"],
    "cause": ["store_receipt"],
    "bystanders": ["health", "invoice:411"],
    "report": "Kludex/starlette#1028",
}


class Response:
    def __init__(self, body, background=None):
        self.body = body
        self.background = background


class Shop:
    def __init__(self):
        self.receipts = {}
        self.waiting = {}
        self.recent = []

    async def store_receipt(self, order):
        await asyncio.sleep(0.05)
        self.receipts[order] = f"receipt for {order}"
        self.waiting.pop(order).set_result(None)

    async def pay(self, order):
        self.waiting[order] = asyncio.get_running_loop().create_future()
        return Response(b"paid", background=self.store_receipt(order))

    async def compressing_middleware(self, order):
        response = await self.pay(order)
        small = Response(response.body[:3])  # background gets lost in the copy ...
        self.recent.append((response, small))  # ... while the access log keeps the original
        return small

    async def invoice(self, order, call):
        response = await call(order)
        if response.background is not None:
            await response.background
        receipt = self.waiting.get(order)
        if receipt is not None:
            await receipt
        return self.receipts[order]


async def health(beats):
    while True:
        await asyncio.sleep(0.3)
        beats.append(len(beats))
        del beats[:-5]


async def main():
    shop = Shop()
    beating = asyncio.create_task(health([]), name="health")
    await asyncio.create_task(shop.invoice(411, shop.pay), name="invoice:411")
    job = asyncio.create_task(shop.invoice(412, shop.compressing_middleware), name="invoice:412")
    await asyncio.sleep(0.1)
    print("READY", flush=True)
    await job
    beating.cancel()


if __name__ == "__main__":
    asyncio.run(main())
