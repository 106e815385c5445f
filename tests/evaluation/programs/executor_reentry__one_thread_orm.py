"""A view runs in the ORM's only thread and, through the loop, asks for another job of it."""

import asyncio
import concurrent.futures

EXPECT = {
    "kind": "executor_reentry",
    "also": [],
    "verdict": ["deadlock", "suspect"],
    "stuck": ["view:orders"],
    "cause": ["orm"],
    "bystanders": ["autoreload"],
    "report": "django/asgiref#348",
}

ORM = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="orm")


async def sync_to_async(function, *args):
    return await asyncio.get_running_loop().run_in_executor(ORM, function, *args)


def async_to_sync(coroutine, loop):
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result()


def select_user(number):
    return {"id": number, "name": "ann"}


async def get_user(number):
    return await sync_to_async(select_user, number)


def orders_view(loop):
    user = async_to_sync(get_user(7), loop)  # an async signal handler, in Django's case
    return f"orders of {user['name']}"


async def view():
    return await sync_to_async(orders_view, asyncio.get_running_loop())


async def autoreload():
    while True:
        await asyncio.sleep(0.5)


async def main():
    reloading = asyncio.create_task(autoreload(), name="autoreload")
    response = asyncio.create_task(view(), name="view:orders")
    await asyncio.sleep(0.5)
    print("READY", flush=True)
    print(await response, flush=True)
    reloading.cancel()


if __name__ == "__main__":
    asyncio.run(main())
