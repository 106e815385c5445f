"""Programs whose threads and loops wait for each other, and healthy ones that look like it.

Runs in a child process on every interpreter: no pytest here, the syntax of Python 3.10.
Usage: python threads_child.py LOOP SCENARIO      (LOOP: asyncio or uvloop)
Prints one JSON document: the findings of two looks from a side thread.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import json
import os
import queue
import sys
import threading
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from asyncconsole.diagnose import confirm
from asyncconsole.serve.live import LiveTarget

SCENARIOS = {}
KEPT = []


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


def spawn(coro, name):
    task = asyncio.get_running_loop().create_task(coro)
    task.set_name(name)
    KEPT.append(task)
    return task


def thread(function, name, *args):
    made = threading.Thread(target=function, name=name, args=args, daemon=True)
    made.start()
    return made


async def beat():
    while True:
        await asyncio.sleep(0.02)


async def fetch():
    await asyncio.sleep(0)
    return 1


# ---- threadsafe_result_on_loop


@scenario
async def result_on_loop():
    async def handler():
        loop = asyncio.get_running_loop()
        asyncio.run_coroutine_threadsafe(fetch(), loop).result()

    spawn(beat(), "beat")
    await spawn(handler(), "handler")


@scenario
async def result_of_a_started_task():
    loop = asyncio.get_running_loop()
    future = asyncio.run_coroutine_threadsafe(asyncio.sleep(0.3), loop)
    spawn(beat(), "beat")

    async def handler():
        concurrent.futures.wait([future])

    await asyncio.sleep(0.05)
    await spawn(handler(), "handler")


@scenario
async def result_through_a_job():
    loop = asyncio.get_running_loop()
    pool = concurrent.futures.ThreadPoolExecutor(2, "jobs")

    def job():
        return asyncio.run_coroutine_threadsafe(fetch(), loop).result()

    async def handler():
        pool.submit(job).result()

    await spawn(handler(), "handler")


@scenario
async def result_with_a_timeout():
    async def handler():
        loop = asyncio.get_running_loop()
        asyncio.run_coroutine_threadsafe(fetch(), loop).result(timeout=60)

    await spawn(handler(), "handler")


@scenario
async def two_loops():
    here = asyncio.get_running_loop()
    other = asyncio.new_event_loop()
    thread(other.run_forever, "other")
    both = threading.Barrier(2)

    async def there():
        both.wait()
        asyncio.run_coroutine_threadsafe(fetch(), here).result()

    async def handler():
        future = asyncio.run_coroutine_threadsafe(there(), other)
        both.wait()
        future.result()

    await spawn(handler(), "handler")


# ---- nested_run


@scenario
async def join_of_a_nested_run():
    loop = asyncio.get_running_loop()

    async def main():
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(fetch(), loop))

    async def plugin():
        made = thread(lambda: asyncio.run(main()), "nested-run")
        made.join()

    spawn(beat(), "beat")
    await spawn(plugin(), "plugin:load")


@scenario
async def join_of_a_waiting_thread():
    loop = asyncio.get_running_loop()

    def work():
        asyncio.run_coroutine_threadsafe(fetch(), loop).result()

    async def plugin():
        thread(work, "worker").join()

    await spawn(plugin(), "plugin:load")


@scenario
async def run_in_a_pool():
    loop = asyncio.get_running_loop()
    pool = concurrent.futures.ThreadPoolExecutor(2, "jobs")

    async def main():
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(fetch(), loop))

    async def plugin():
        pool.submit(asyncio.run, main()).result()

    await spawn(plugin(), "plugin:load")


@scenario
async def shutdown_of_a_pool():
    loop = asyncio.get_running_loop()
    pool = concurrent.futures.ThreadPoolExecutor(1, "jobs")

    def job():
        return asyncio.run_coroutine_threadsafe(fetch(), loop).result()

    async def closer():
        pool.submit(job)
        pool.shutdown(wait=True)

    await spawn(closer(), "closer")


@scenario
async def event_of_a_thread():
    loop = asyncio.get_running_loop()
    done = threading.Event()

    def work():
        asyncio.run_coroutine_threadsafe(fetch(), loop).result()
        done.set()

    async def wrapper():
        thread(work, "worker")
        done.wait()

    await spawn(wrapper(), "wrapper")


# ---- thread_lock_on_loop


LOCK = threading.Lock()
RLOCK = threading.RLock()


@scenario
async def lock_across_an_await():
    async def upload():
        with LOCK:
            await asyncio.sleep(0.1)

    async def lister():
        with LOCK:
            await asyncio.sleep(0)

    spawn(upload(), "upload")
    await asyncio.sleep(0.01)
    await spawn(lister(), "lister")


class Store:
    def __init__(self):
        self._lock = threading.Lock()

    async def write(self):
        with self._lock:
            await asyncio.sleep(0.1)

    def read(self):
        self._lock.acquire()
        self._lock.release()


@scenario
async def lock_acquired():
    store = Store()

    async def reader():
        store.read()

    spawn(store.write(), "writer")
    await asyncio.sleep(0.01)
    await spawn(reader(), "reader")


@scenario
async def rlock_of_a_thread():
    loop = asyncio.get_running_loop()
    taken = threading.Event()

    def work():
        with RLOCK:
            taken.set()
            asyncio.run_coroutine_threadsafe(fetch(), loop).result()

    async def handler():
        thread(work, "worker")
        taken.wait()
        with RLOCK:
            pass

    await spawn(handler(), "handler")


@scenario
async def lock_of_a_thread():
    loop = asyncio.get_running_loop()
    taken = threading.Event()

    def work():
        with LOCK:
            taken.set()
            asyncio.run_coroutine_threadsafe(fetch(), loop).result()

    async def handler():
        thread(work, "worker")
        taken.wait()
        with LOCK:
            pass

    await spawn(handler(), "handler")


# ---- executor_reentry


@scenario
async def job_behind_itself():
    loop = asyncio.get_running_loop()
    pool = concurrent.futures.ThreadPoolExecutor(1, "db")

    def outer():
        return pool.submit(time.monotonic).result()

    spawn(beat(), "beat")

    async def view():
        await loop.run_in_executor(pool, outer)

    await spawn(view(), "view")


@scenario
async def job_through_the_loop():
    loop = asyncio.get_running_loop()
    pool = concurrent.futures.ThreadPoolExecutor(2, "db")

    async def orm():
        await loop.run_in_executor(pool, time.monotonic)

    def outer():
        asyncio.run_coroutine_threadsafe(orm(), loop).result()

    async def view():
        await loop.run_in_executor(pool, outer)

    spawn(beat(), "beat")
    spawn(view(), "view:1")
    await spawn(view(), "view:2")


# ---- cross_loop, threadsafe_wakeup_missing


@scenario
async def future_set_by_a_thread():
    future = asyncio.get_running_loop().create_future()

    async def read():
        await future

    spawn(read(), "sensor:read")

    def sdk():
        time.sleep(0.2)
        future.set_result(1)
        time.sleep(60)

    thread(sdk, "sensor-sdk")
    await asyncio.get_running_loop().create_future()


@scenario
async def event_set_by_another_loop():
    ready = asyncio.Event()

    async def wait_for_it():
        await ready.wait()

    async def other():
        await asyncio.sleep(0.2)
        ready.set()
        await asyncio.sleep(60)
        ready.clear()

    spawn(wait_for_it(), "waiter")
    thread(lambda: asyncio.run(other()), "other-loop")
    await asyncio.get_running_loop().create_future()


@scenario
async def task_made_by_a_thread():
    loop = asyncio.get_running_loop()

    def make():
        time.sleep(0.2)
        KEPT.append(
            loop.create_task(fetch(), name="made")
            if sys.version_info >= (3, 11)
            else loop.create_task(fetch())
        )
        time.sleep(60)

    thread(make, "maker")
    await asyncio.get_running_loop().create_future()


@scenario
async def coroutine_for_a_closed_loop():
    other = asyncio.new_event_loop()
    task = other.create_task(fetch())
    KEPT.append(task)
    other.close()

    async def waiter():
        await asyncio.wait([task])

    spawn(beat(), "beat")
    await spawn(waiter(), "waiter")


# ---- healthy


@scenario
async def healthy_jobs():
    loop = asyncio.get_running_loop()
    pool = concurrent.futures.ThreadPoolExecutor(2, "slow")
    items = queue.Queue()
    thread(items.get, "consumer")
    thread(threading.Event().wait, "parked")

    def job():
        future = asyncio.run_coroutine_threadsafe(asyncio.sleep(60), loop)
        future.result(timeout=60)

    def slow():
        time.sleep(60)

    async def view(work, where):
        await loop.run_in_executor(where, work)

    spawn(beat(), "beat")
    for number in range(4):
        spawn(view(job if number % 2 else slow, pool), f"view:{number}")
    await spawn(view(slow, None), "alone")


@scenario
async def healthy_lock():
    def work():
        while True:
            with LOCK:
                time.sleep(0.002)

    async def user(number):
        while True:
            with LOCK:
                pass
            await asyncio.sleep(0.001 * number)

    thread(work, "worker")
    for number in range(5):
        spawn(user(number), f"user:{number}")
    await asyncio.get_running_loop().create_future()


@scenario
async def healthy_hand_over():
    loop = asyncio.get_running_loop()
    items = asyncio.Queue()

    def feed():
        while True:
            loop.call_soon_threadsafe(items.put_nowait, 1)
            time.sleep(0.001)

    async def read():
        while True:
            await items.get()

    thread(feed, "feeder")
    spawn(read(), "reader")
    await asyncio.get_running_loop().create_future()


@scenario
async def healthy_nested_run():
    loop = asyncio.get_running_loop()

    async def main():
        while True:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(fetch(), loop))

    async def runner():
        await asyncio.to_thread(asyncio.run, main())

    await spawn(runner(), "runner")


@scenario
async def healthy_pool_of_one():
    loop = asyncio.get_running_loop()
    pool = concurrent.futures.ThreadPoolExecutor(1, "one")

    def job():
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01), loop).result()

    async def user():
        while True:
            await loop.run_in_executor(pool, job)

    for number in range(5):
        spawn(user(), f"user:{number}")
    await asyncio.get_running_loop().create_future()


async def look():
    target = LiveTarget(asyncio.get_running_loop(), stall_threshold=0.3)
    target.start()
    await asyncio.sleep(1.1)
    first = await target.snapshot("all")
    await target.settle()
    second = await target.snapshot("all")
    return {
        "snapshot": dataclasses.asdict(second),
        "findings": [dataclasses.asdict(item) for item in confirm(first, second).findings],
        "first": [dataclasses.asdict(item) for item in confirm(first).findings],
    }


def observer():
    try:
        loop = asyncio.new_event_loop()
        print(json.dumps(loop.run_until_complete(look())), flush=True)
    except BaseException:
        traceback.print_exc()
    os._exit(0)


def main():
    kind, name = sys.argv[1:3]
    threading.Thread(target=observer, name="asyncconsole-look", daemon=True).start()
    if kind == "uvloop":
        import uvloop

        uvloop.install()
    asyncio.run(SCENARIOS[name]())


if __name__ == "__main__":
    main()
