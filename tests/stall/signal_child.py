"""Programs that are told to dump by a signal: ``signal_child.py SCENARIO FOLDER [KIND]``; prints JSON.

A dump is awaited in its file while the program stands still; only then may it go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import os
import queue
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import asyncconsole
from asyncconsole.serve import loading

FOLDER = Path(sys.argv[2])
FILE = FOLDER / "dump.txt"
END = "== end of dump"
LOG = io.StringIO()


def read():
    return FILE.read_text("utf-8") if FILE.exists() else ""


def until(condition, seconds=60):
    """True once something is so, False when time is up."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def dumps(text=None):
    return (read() if text is None else text).count(END)


def begin(**options):
    how = {"dump_signal": True, "dump_file": FILE, **options}
    return asyncconsole.start(port=0, unix_socket=False, stall_threshold=0.2, **how)


def kill(number=signal.SIGUSR1):
    os.kill(os.getpid(), number)


def logged():
    until(lambda: False, 0.3)
    return LOG.getvalue()


class Released(Exception):
    """Ends a sleep."""


def let_go(_number, _frame):
    raise Released


def new_loop(kind):
    if kind == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    return asyncio.new_event_loop()


def run(coro, kind):
    loop = new_loop(kind)
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(coro)
    finally:
        loop.close()


def asleep(go_on):
    signal.signal(signal.SIGUSR2, let_go)
    with contextlib.suppress(Released):
        time.sleep(90)


def locked(go_on):
    lock = threading.Lock()
    lock.acquire()
    threading.Thread(target=lambda: (go_on.wait(60), lock.release())).start()
    lock.acquire()


def with_locked(go_on):
    lock = threading.RLock()
    taken = threading.Event()

    def hold():
        with lock:
            taken.set()
            go_on.wait(60)

    threading.Thread(target=hold).start()
    taken.wait(60)
    with lock:
        pass


def queued(go_on):
    things = queue.Queue()
    threading.Thread(target=lambda: (go_on.wait(60), things.put(1))).start()
    things.get()


def joining(go_on):
    thread = threading.Thread(target=go_on.wait, args=(60,))
    thread.start()
    thread.join()


def receiving(go_on):
    ours, theirs = socket.socketpair()
    threading.Thread(target=lambda: (go_on.wait(60), theirs.send(b"x"))).start()
    with ours, theirs:
        ours.recv(1)


def busy(go_on):
    while not go_on.is_set():
        sum(range(100))


BLOCKS = (asleep, locked, with_locked, queued, joining, receiving, busy)


def blocked_in(console, name):
    """True when a stall goes on that was seen in that function."""
    going = [stall.frame for stall in console._target.stalls() if stall.ongoing]
    return any(frame is not None and frame.function == name for frame in going)


def blocked(kind):
    """Each way to block, one after the other, with a dump in the midst of it."""
    seen = {}
    with begin() as console:
        for number, block in enumerate(BLOCKS, 1):
            go_on = threading.Event()

            def other(go_on=go_on, number=number, name=block.__name__):
                # In it for long: where a signal comes just before the main thread goes to wait
                # in C, Python handles it only after the wait.
                until(lambda: blocked_in(console, name))
                # It may look stalled in there before it waits in C: then a second one ends that
                # wait, and both are handled as one.
                kill()
                if not until(lambda: dumps() == number, 20):
                    kill()
                seen[name] = until(lambda: dumps() == number)
                go_on.set()
                if name == "asleep":
                    signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR2)

            async def main(block=block, go_on=go_on, other=other):
                threading.Thread(target=other).start()
                await asyncio.sleep(0.01)
                block(go_on)
                await asyncio.sleep(0.01)

            run(main(), kind)
            until(lambda: not any(stall.ongoing for stall in console._target.stalls()))
    return {"in_time": seen, "text": read()}


def burst(kind):
    """Many signals are few dumps."""

    async def main():
        for _ in range(60):
            kill()
            await asyncio.sleep(0.005)
        await asyncio.to_thread(until, lambda: dumps() >= 1)
        first = dumps()
        await asyncio.sleep(2.5)
        kill()
        await asyncio.to_thread(until, lambda: dumps() > first)
        return {"dumps": dumps()}

    with begin():
        return run(main(), kind)


def handlers(_kind):
    """Who had the signal before and has it afterwards."""
    seen, heard = {}, []
    pipe = socket.socketpair()
    for end in pipe:
        end.setblocking(False)
    before = signal.set_wakeup_fd(pipe[0].fileno())

    def theirs(number, frame):
        heard.append(number)

    with begin():
        seen["ours"] = callable(signal.getsignal(signal.SIGUSR1))
    seen["default"] = signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL
    signal.signal(signal.SIGUSR1, theirs)
    with begin():
        kill()
        until(lambda: dumps() == 1)
        seen["chained"] = heard == [signal.SIGUSR1]
    seen["restored"] = signal.getsignal(signal.SIGUSR1) is theirs
    with begin():
        signal.signal(signal.SIGUSR1, later := lambda *_: None)
    seen["left_alone"] = signal.getsignal(signal.SIGUSR1) is later
    signal.signal(signal.SIGUSR1, theirs)
    console = begin()
    closer = threading.Thread(target=console.close)
    closer.start()
    closer.join()
    kill()
    seen["closed_elsewhere"] = len(heard) == 2 and signal.getsignal(signal.SIGUSR1) is theirs
    seen["wakeup_fd"] = signal.set_wakeup_fd(before) == pipe[0].fileno()
    seen["dumps"] = dumps()
    for end in pipe:
        end.close()
    return seen


def closed_elsewhere(_kind):
    """The default action comes back with the next signal: this process ends by it."""
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    console = begin()
    closer = threading.Thread(target=console.close)
    closer.start()
    closer.join()
    kill()
    time.sleep(5)
    return {"alive": True}


def declined(kind):
    """Signals that are somebody else's, and threads that may not have one."""
    seen = {}
    thread = threading.Thread(target=lambda: begin().close())
    thread.start()
    thread.join()
    seen["other_thread"] = signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL
    seen["other_thread_log"] = logged()

    async def main():
        LOG.truncate(0)
        LOG.seek(0)
        arrived = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, arrived.set)
        with begin():
            kill()
            await asyncio.wait_for(arrived.wait(), 20)
        kill_again = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, kill_again.set_result, 1)
        kill()
        await asyncio.wait_for(kill_again, 20)
        return await asyncio.to_thread(logged)

    seen["loops_log"] = run(main(), kind)
    seen["dumps"] = dumps()
    return seen


def nowhere(_kind):
    """Stderr is closed, a folder is gone: the dump is somewhere all the same."""
    seen = {}
    folder = FOLDER / "gone"
    folder.mkdir()
    with begin(dump_file=folder / "dump.txt"):
        folder.rmdir()
        sys.stderr, stderr = io.StringIO(), sys.stderr
        kill()
        until(lambda: dumps(sys.stderr.getvalue()) == 1)
        seen["stderr_instead"] = dumps(sys.stderr.getvalue())
        sys.stderr.close()
        until(lambda: False, 1.2)
        kill()
        spare = Path(os.environ["XDG_RUNTIME_DIR"]) / "asyncconsole" / f"{os.getpid()}.dump.txt"
        seen["spare"] = until(spare.exists) and until(lambda: dumps(spare.read_text("utf-8")) == 1)
        seen["mode"] = oct(spare.stat().st_mode & 0o777)
        sys.stderr = stderr
    seen["log"] = logged()
    return seen


def unread(_kind):
    """Nobody reads what is written: the console answers all the same, and ends."""
    ours, theirs = os.pipe()
    seen = {}
    sys.stderr, stderr = os.fdopen(theirs, "w"), sys.stderr
    with begin(dump_file=None) as console:
        filler = threading.Thread(target=lambda: sys.stderr.write("x" * 200_000), daemon=True)
        filler.start()
        until(lambda: False, 0.2)
        kill()
        until(lambda: any("dump" in thread.name for thread in threading.enumerate()))
        kill()
        with socket.create_connection(("127.0.0.1", console.port)) as client:
            client.settimeout(20)
            client.sendall(b"version\nexit\n")
            answer = b""
            while piece := client.recv(4096):
                answer += piece
        seen["answers"] = b"asyncconsole" in answer
    text = b""
    while END.encode() not in text:
        text += os.read(ours, 1 << 16)
    sys.stderr, stream = stderr, sys.stderr
    filler.join()
    stream.close()
    os.close(ours)
    return seen


def forked(_kind):
    """A child has the signal as the parent had it before, and may have a console of its own."""
    seen = {}
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    with begin():
        child = os.fork()
        if not child:
            fine = signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN
            kill()
            with begin(dump_file=FOLDER / "child.txt") as console:
                fine = fine and not console.closed
                kill()
                fine = fine and until(lambda: END in (FOLDER / "child.txt").read_text("utf-8")
                                      if (FOLDER / "child.txt").exists() else False)  # fmt: skip
            fine = fine and signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN
            os._exit(0 if fine else 3)
        seen["child"] = os.waitpid(child, 0)[1]
        seen["parents"] = dumps()
        kill()
        seen["goes_on"] = until(lambda: dumps() == 1)
    return seen


def importing(_kind):
    """The program stands still inside an import, with the lock of all imports."""
    import _imp

    loading.PATIENCE = 0.3
    with begin():
        _imp.acquire_lock()
        try:
            kill()
            in_time = until(lambda: dumps() == 1)
        finally:
            _imp.release_lock()
    return {"in_time": in_time, "text": read()}


def arguments(_kind):
    """What is refused, and what it says."""
    said = {}
    for name, options in {
        "kill": {"dump_signal": "SIGKILL"},
        "term": {"dump_signal": signal.SIGTERM},
        "none": {"dump_signal": "SIGNOTHING"},
        "number": {"dump_signal": 4711},
        "folder": {"dump_file": FOLDER / "nowhere" / "x"},
        "alone": {"dump_signal": None},
    }.items():
        try:
            begin(**options).close()
            said[name] = ""
        except ValueError as error:
            said[name] = str(error)
    accepted = [signal.SIGUSR2, "SIGUSR2", "usr2", int(signal.SIGUSR2), str(int(signal.SIGUSR2))]
    for word in accepted:
        with begin(dump_signal=word):
            assert callable(signal.getsignal(signal.SIGUSR2)), word
    with begin(dump_signal=False):
        assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL
    os.environ["ASYNCCONSOLE_DUMP_SIGNAL"] = "USR2"
    os.environ["ASYNCCONSOLE_DUMP_FILE"] = str(FILE)
    with asyncconsole.start(port=0):
        kill(signal.SIGUSR2)
        said["environment"] = until(lambda: dumps() == 1)
    os.environ["ASYNCCONSOLE_DUMP_SIGNAL"] = "1"
    with asyncconsole.start(port=0):
        said["switch"] = callable(signal.getsignal(signal.SIGUSR1))
    with begin(dump_signal=False):
        said["off"] = signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL
    os.environ["ASYNCCONSOLE_DUMP_SIGNAL"] = "rubbish"
    with asyncconsole.start(port=0) as console:
        said["rubbish"] = not console.closed
    said["log"] = logged()
    return said


def main(scenario, _folder, kind="asyncio"):
    signal.alarm(100)
    logging.getLogger("asyncconsole.stalls").propagate = False  # not on stderr
    logging.getLogger("asyncconsole.stalls").addHandler(logging.NullHandler())
    logging.basicConfig(stream=LOG, level=logging.INFO, format="%(message)s")
    print(json.dumps(globals()[scenario](kind)))


if __name__ == "__main__":
    main(*sys.argv[1:])
