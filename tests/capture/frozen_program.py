"""A difficult host for frozen copies; run as a child process with -W error.

Its one argument is a scenario. Prints JSON on stderr; on stdout only what it says itself.
"""

import asyncio
import atexit
import ctypes
import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

from asyncconsole.capture import frozen, memory

SAID = {}
MINE = threading.Lock()
HOOK = {"before": None, "after_in_child": None}


def hook(name):
    wanted = HOOK[name]
    if wanted is not None:
        wanted()


os.register_at_fork(before=lambda: hook("before"), after_in_child=lambda: hook("after_in_child"))
atexit.register(lambda: print("exits once"))


def children():
    """State of every child of this process."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == os.getpid():
                found.append(fields[0].decode())
    return found


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


def settled():
    """Wait until all of the last copy is gone."""
    until = time.monotonic() + 20
    while frozen._latest is not None and frozen._latest.working:
        assert time.monotonic() < until, "the copy's thread is still there"
        time.sleep(0.002)


def refused(job, deadline=10.0, **limits):
    """Why a copy could not answer."""
    try:
        list(frozen.run(job, deadline, **limits))
    except frozen.NoCopyError as error:
        settled()
        return str(error)
    return ""


def answer(job, deadline=10.0):
    found = b"".join(frozen.run(job, deadline)).decode()
    settled()
    return found


def endless():
    yield str(os.getpid()).encode()
    while True:
        pass


def noisy():
    print("from the copy")
    sys.stderr.write("from the copy")
    os.write(1, b"from the copy")
    os.write(2, b"from the copy")
    yield json.dumps(sorted(int(entry.name) for entry in Path("/proc/self/fd").iterdir())).encode()


def alive(pid):
    try:  # a zombie is gone, however slow its parent is
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


def gone(pid):
    until = time.monotonic() + 10
    while alive(pid):
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
    return True


def manners():
    """Everything but at-fork functions, in a thread, while the main thread is blocked."""
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(50)]
    high = os.dup2(server.fileno(), 900)
    SAID["hello"] = answer(lambda: [b"hel", b"lo"])
    before = descriptors(), threading.active_count()
    kept = json.loads(answer(noisy))
    SAID["kept"] = len(kept)  # the three standard ones, the pipe, and the listing itself
    pieces = frozen.run(endless, 1.0)
    began = time.monotonic()
    pid = next(pieces)
    os.close(high)
    server.close()
    client.settimeout(5)
    SAID["eof"] = client.recv(1) == b"" and Path(f"/proc/{int(pid)}").exists()
    try:
        next(pieces)
    except frozen.NoCopyError as error:
        SAID["deadline"] = str(error)
    SAID["took"] = time.monotonic() - began
    SAID["gone"] = gone(int(pid))
    settled()
    pieces = frozen.run(endless, 30.0)
    pid = next(pieces)
    pieces.close()  # the client has left
    SAID["left"] = gone(int(pid))
    settled()
    SAID["raised"] = refused(lambda: 1 / 0)
    SAID["exits"] = refused(sys.exit)
    SAID["long"] = refused(lambda: [b"x" * 1000] * 1000, most_bytes=10_000)
    SAID["big"] = refused(lambda: [b""], most_memory=1)
    SAID["large"] = len(answer(lambda: [b"x" * 3_000_000] * 3))
    memory.free = lambda: 1
    SAID["full"] = refused(lambda: [b""])
    memory.free = lambda: None
    copy = frozen.Copy(endless, 10.0)
    SAID["busy"] = refused_while_busy()
    copy.close()
    settled()
    for _ in range(100):
        assert answer(lambda: [b"round"]) == "round"
    SAID["same"] = [descriptors() + 2 - before[0], threading.active_count() - before[1]]
    for number in opened:
        os.close(number)
    listener.close()
    client.close()
    SAID["children"] = children()


def refused_while_busy():
    try:
        list(frozen.run(list, 1.0))
    except frozen.BusyError as error:
        return str(error)
    return ""


def aside(work, meanwhile):
    """Run ``work`` in a thread and ``meanwhile`` in the main thread."""
    trouble = []

    def run():
        try:
            work()
        except BaseException as error:
            trouble.append(repr(error))

    thread = threading.Thread(target=run)
    thread.start()
    meanwhile(thread)
    thread.join(60)
    assert not trouble, trouble


def scenario_manners():
    sys.stdout.write("buffered, once\n")  # a pipe: not flushed before the end
    reaped = []

    def reap(*_):
        try:
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                reaped.append(found[0])
        except ChildProcessError:
            pass

    signal.signal(signal.SIGCHLD, reap)

    async def blocked(thread):
        asyncio.get_running_loop()
        thread.join(60)  # the loop is blocked; signals are served

    aside(manners, lambda thread: asyncio.run(blocked(thread)))


def scenario_children():
    """The program's own subprocesses come to their own ends; as a subreaper, and not."""

    async def own(subreaper):
        if subreaper:
            ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "import time; time.sleep(0.5); raise SystemExit(3)"
        )
        loop = asyncio.get_running_loop()
        found = [await loop.run_in_executor(None, answer, lambda: [b"ok"]) for _ in range(20)]
        return found, await process.wait(), children()

    SAID["own"] = [asyncio.run(own(subreaper)) for subreaper in (False, True)]
    began = time.monotonic()
    copy = frozen.Copy(lambda: time.sleep(3) or [], 10.0)
    while copy._worker is None:
        copy.read()
        time.sleep(0.005)
    ctypes.CDLL(None).prctl(36, 0, 0, 0, 0)
    copy.close()
    settled()
    SAID["early"] = time.monotonic() - began < 3
    SAID["children"] = children()


def scenario_hooks():
    frozen.PATIENCE = 0.5
    done = []

    def work():
        MINE.acquire()
        HOOK["before"] = lambda: (MINE.acquire(), MINE.release())
        began = time.monotonic()
        try:
            list(frozen.run(lambda: [b"never"], 10.0))
        except frozen.NoCopyError as error:
            SAID["before"] = str(error)
        SAID["quick"] = time.monotonic() - began
        SAID["again"] = refused_while_busy()
        MINE.release()  # now the fork goes through, and its child leaves at once
        settled()
        HOOK["before"] = None
        SAID["after"] = answer(lambda: [b"works again"])
        HOOK["after_in_child"] = MINE.acquire
        MINE.acquire()
        SAID["in_child"] = refused(lambda: [b"never"])
        HOOK["after_in_child"] = None
        MINE.release()
        SAID["last"] = answer(lambda: [b"works again"])
        SAID["children"] = children()
        done.append(True)

    aside(work, lambda thread: thread.join(60))
    assert done


globals()[f"scenario_{sys.argv[1]}"]()
sys.stderr.write(json.dumps(SAID))
