"""A program with a console and a loop that beats; run as a child process.

Its one argument is JSON: ``tasks`` (how many wait) and
``ending`` (a statement that ends it, once its stdin has ended). It prints a line of JSON once it
serves. Each line on stdin is an expression; its value is printed as JSON.
"""

import asyncio
import ctypes
import gc
import json
import os
import resource
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncconsole

OPTIONS = json.loads(sys.argv[1])
beats = [0]


def facts():
    """What must not grow."""
    for _ in range(2):
        gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    side = asyncio.all_tasks(console._side.loop)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "memory": pages * resource.getpagesize(),
        "fds": len(list(Path("/proc/self/fd").iterdir())),
        "threads": threading.active_count(),
        "tasks": len(side),
        "clients": sum(len(door.clients) for door in console._server.doors),
        "beats": beats[0],
    }


def limit(number):
    """At most so many descriptors from now on; the ones that are open stay."""
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (number, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    )
    return number


def fork():
    """A child that goes on beside us until it is told; its pid, or what went wrong in it."""
    theirs, ours = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(theirs)
        try:
            said = "closed" if console.closed else "open"
            own = asyncconsole.start(port=0, unix_socket=False)
            said += f" {own.port}"
        except BaseException as error:
            said = repr(error)
        os.write(ours, said.encode())
        time.sleep(120)
        os._exit(0)
    os.close(ours)
    said = os.read(theirs, 1000).decode()
    os.close(theirs)
    return [pid, said]


def jump():
    """A wall clock that jumps by years, back and forth, at every look."""
    real, leap = time.time, [1, -1, 400_000_000, -700_000_000, 86_400]

    def wild():
        leap.append(leap.pop(0))
        return real() + leap[0]

    time.time = wild
    return True


async def beat():
    while True:
        beats[0] += 1
        await asyncio.sleep(0.01)


async def main():
    loop = asyncio.get_running_loop()
    lock = asyncio.Lock()
    await lock.acquire()
    waiting = [
        loop.create_task(lock.acquire(), name=f"waits-{number}")
        for number in range(OPTIONS.get("tasks", 3))
    ]
    beating = loop.create_task(beat())
    reading = ThreadPoolExecutor(1)  # the loop's own makes a second thread, now and then
    while line := await loop.run_in_executor(reading, sys.stdin.readline):
        print(json.dumps(eval(line)), flush=True)
    exec(OPTIONS.get("ending", "console.close()"))
    beating.cancel()
    for task in waiting:
        task.cancel()


console = asyncconsole.start(port=0, locals={"answer": 42})
print(
    json.dumps({"port": console.port, "socket": console.socket_path, "pid": os.getpid()}),
    flush=True,
)
asyncio.run(main())
