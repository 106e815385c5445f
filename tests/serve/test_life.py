"""Starting, closing, forking, ending: a console must never take its host down or leave a trace."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading

import pytest

import asyncconsole
from asyncconsole.serve import address, journal
from asyncconsole.serve import console as serving
from asyncconsole.serve.exposure import Exposure
from tests.interpreters import INTERPRETERS
from tests.serve.conftest import DEADLINE, descriptors, environment, wait_until

ROUNDS = """
import asyncio, gc, os, threading, warnings, weakref
import asyncconsole

def measure():
    gc.collect()
    return threading.active_count(), len(os.listdir("/proc/self/fd"))

def loops():
    gc.collect()
    return sum(isinstance(thing, asyncio.AbstractEventLoop) for thing in gc.get_objects())

asyncconsole.start(port=0).close()
before, loops_before = measure(), loops()
consoles = weakref.WeakSet()
for number in range(ROUNDS):
    console = asyncconsole.start(port=0)
    assert not console.closed
    consoles.add(console)
    console.close()
    assert console.closed and console.port is None
    del console
after, loops_after = measure(), loops()
assert after == before, (before, after)
assert loops_after == loops_before, (loops_before, loops_after)
assert not list(consoles), list(consoles)
assert os.listdir(os.environ["XDG_RUNTIME_DIR"] + "/asyncconsole") == []
print("clean")
"""


def test_a_thousand_rounds_leave_nothing(run, runtime):
    assert run(ROUNDS.replace("ROUNDS", "1000")) == "clean\n"
    assert run.errors == ""


@pytest.mark.parametrize("python", INTERPRETERS)
def test_rounds_on_every_interpreter(run, runtime, python):
    assert run(ROUNDS.replace("ROUNDS", "20"), python=python) == "clean\n"
    assert run.errors == ""


def test_rounds_with_clients_leave_nothing(run, runtime):
    out = run(
        """
import gc, os, socket, threading, asyncconsole
HELLOS = [b"ps\\n", b"", b"\\xff\\xfb\\x18", b'ASYNCCONSOLE/1 {"interactive": true}\\n', b"GET / HTTP/1.1\\r\\n\\r\\n", b"console\\n1+1\\n"]
def round():
    with asyncconsole.start(port=0) as console:
        clients = []
        for hello in HELLOS:
            client = socket.create_connection(("127.0.0.1", console.port))
            client.sendall(hello)
            clients.append(client)
        clients[0].recv(10)
        clients[3].recv(10)
    for client in clients:
        client.close()
    gc.collect()
    return threading.active_count(), len(os.listdir("/proc/self/fd"))
first = round()
for _ in range(10):
    assert round() == first
print("clean")
"""
    )
    assert out == "clean\n"
    lines = run.errors.splitlines()
    assert all(line.endswith("ran: console") or " ended: console: " in line for line in lines)


def test_starting_twice_gives_the_running_one(runtime):
    with asyncconsole.start(port=0) as console:
        assert asyncconsole.start(port=0) is console
    assert asyncconsole.start(port=0) is not console
    asyncconsole.start().close()


def test_what_a_console_says_of_itself(runtime):
    with asyncconsole.start(port=0) as console:
        assert console.host == "127.0.0.1"
        assert console.port > 0
        assert console.socket_path == str(runtime / f"{os.getpid()}.sock")
        assert sorted(path.suffix for path in runtime.iterdir()) == [".json", ".sock"]
    assert (console.host, console.port, console.socket_path) == (None, None, None)
    assert list(runtime.iterdir()) == []
    console.close()


def test_without_a_unix_socket(runtime):
    with asyncconsole.start(port=0, unix_socket=False) as console:
        assert console.socket_path is None
        assert [path.suffix for path in runtime.iterdir()] == [".json"]


def test_a_directory_that_is_not_ours_costs_only_the_unix_socket(runtime, monkeypatch, caplog):
    monkeypatch.setenv("TMPDIR", str(runtime / "nowhere"))
    runtime.mkdir(mode=0o777)
    runtime.chmod(0o777)
    with asyncconsole.start(port=0) as console:
        assert console.socket_path is None
        assert console.port
    assert "no Unix socket and no discovery record" in caplog.text


def test_a_target_that_fails_is_contained(runtime, caplog):
    class Broken:
        def __init__(self, loop):
            raise RuntimeError("broken")

    before = descriptors()
    console = serving.launch(
        Broken, serving.Rules(), Exposure(), {},
        host="127.0.0.1", port=address.DEFAULT_PORT, unix=True, strict=False,
    )  # fmt: skip
    assert console.closed
    assert console.port is None
    assert "the program goes on without it" in caplog.text
    assert descriptors() == before
    with asyncconsole.start(port=0) as console:
        assert not console.closed


PLACES = {
    "before the loop": """
import asyncio, asyncconsole
console = asyncconsole.start(port=0)
async def main():
    ASK
asyncio.run(main())
console.close()
""",
    "inside a running loop": """
import asyncio, asyncconsole
async def main():
    console = asyncconsole.start(port=0)
    ASK
    console.close()
asyncio.run(main())
""",
    "as an async context manager": """
import asyncio, asyncconsole
async def main():
    async with asyncconsole.start(port=0) as console:
        ASK
    assert console.closed
asyncio.run(main())
""",
    "from another thread": """
import asyncio, threading, asyncconsole
found = []
thread = threading.Thread(target=lambda: found.append(asyncconsole.start(port=0)))
thread.start(); thread.join()
console = found[0]
async def main():
    ASK
    await asyncio.to_thread(console.close)
asyncio.run(main())
""",
}

ASK = """
    reader, writer = await asyncio.open_connection("127.0.0.1", console.port)
    writer.write(b"version\\\\nps\\\\nexit\\\\n")
    text = (await reader.read(-1)).decode()
    writer.close()
    await writer.wait_closed()
    assert "1 task" in text and "Task-1" in text, text
    print("answered")
"""


@pytest.mark.parametrize("place", PLACES)
def test_it_starts(run, runtime, place):
    indent = "    " if "async with" in PLACES[place] else ""
    ask = ASK.replace("\\\\n", "\\n").replace("\n    ", "\n    " + indent).strip()
    assert run(PLACES[place].replace("ASK", ask)) == "answered\n"
    assert run.errors == ""


@pytest.mark.parametrize("python", INTERPRETERS)
def test_it_answers_on_every_interpreter(run, runtime, python):
    source = PLACES["inside a running loop"].replace("ASK", ASK.replace("\\\\n", "\\n").strip())
    assert run(source, python=python) == "answered\n"
    assert run.errors == ""


def test_closing_from_its_own_repl(run, runtime):
    out = run(
        """
import asyncio, asyncconsole, threading
async def main():
    console = asyncconsole.start(port=0, locals={"asyncconsole": asyncconsole})
    reader, writer = await asyncio.open_connection("127.0.0.1", console.port)
    writer.write(b"console\\nasyncconsole.start().close()\\n")
    await reader.read(-1)
    writer.close()
    assert console.closed
    console.close()
    for _ in range(500):
        if threading.active_count() == 1:
            break
        await asyncio.sleep(0.01)
    print(threading.enumerate())
asyncio.run(main())
"""
    )
    assert "MainThread" in out
    assert "asyncconsole" not in out


def test_the_programs_own_loop_and_policy_are_untouched(run, runtime):
    out = run(
        """
import asyncio, signal, sys, asyncconsole
hooks = sys.get_asyncgen_hooks(), signal.getsignal(signal.SIGINT), signal.set_wakeup_fd(-1)
console = asyncconsole.start(port=0)
try:
    asyncio.get_running_loop()
except RuntimeError:
    print("no loop")
assert hooks == (sys.get_asyncgen_hooks(), signal.getsignal(signal.SIGINT), signal.set_wakeup_fd(-1))
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
assert loop.run_until_complete(asyncio.sleep(0, 5)) == 5
loop.close()
console.close()
"""
    )
    assert out == "no loop\n"
    assert run.errors == ""


@pytest.mark.parametrize(
    "ending",
    [
        "pass",
        "sys.exit(0)",
        "os._exit(0)",
        "threading.Thread(target=time.sleep, args=(0.1,)).start()",
    ],
)
def test_a_program_that_just_ends_ends_cleanly(run, runtime, ending):
    run(
        f"""
import os, socket, sys, threading, time, asyncconsole
console = asyncconsole.start(port=0)
client = socket.create_connection(("127.0.0.1", console.port))
client.sendall(b"ps\\n")
client.recv(10)
client.detach()
{ending}
"""
    )
    assert run.errors == ""
    if "_exit" not in ending:
        assert list(runtime.iterdir()) == []


def test_sigint_ends_the_program_and_the_console(runtime):
    source = """
import asyncio, asyncconsole
async def main():
    asyncconsole.start(port=0)
    print("up", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    child = subprocess.Popen(
        [sys.executable, "-c", source],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    assert child.stdout.readline() == "up\n"
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=DEADLINE)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert child.returncode == -signal.SIGINT
    assert list(runtime.iterdir()) == []


@pytest.mark.parametrize("python", INTERPRETERS)
def test_a_fork_in_the_middle_of_a_first_import_leaves_the_child_a_whole_one(run, runtime, python):
    out = run(
        """
import importlib.machinery, os, socket, sys, threading, warnings, asyncconsole
warnings.simplefilter("ignore", DeprecationWarning)  # 3.12+ warns of any fork beside a thread
loading, go = threading.Event(), threading.Event()
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name != "asyncconsole.render.text" or go.is_set():
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        execute = spec.loader.exec_module
        def wait(module):
            loading.set()
            go.wait(20)
            execute(module)
        spec.loader.exec_module = wait
        return spec
sys.meta_path.insert(0, Slow())
def version(console):
    with socket.create_connection(("127.0.0.1", console.port)) as client:
        client.sendall(b"version\\nexit\\n")
        data = b""
        while piece := client.recv(4096):
            data += piece
    return data
console = asyncconsole.start(port=0)
asker = threading.Thread(target=version, args=(console,))
asker.start()
assert loading.wait(20)
pid = os.fork()
if pid == 0:
    go = threading.Event()  # the lock of the other may have been held at the fork
go.set()
if pid == 0:
    with asyncconsole.start(port=0) as own:
        data = version(own)
    sys.exit(7 if b"asyncconsole" in data and b"pid" in data else data[:2000])
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
asker.join(20)
console.close()
""",
        python=python,
    )
    assert out == ""
    assert run.errors == ""


def test_a_forked_child_lets_go_and_may_start_its_own(run, runtime):
    out = run(
        """
import os, socket, sys, time, warnings, asyncconsole
warnings.simplefilter("ignore", DeprecationWarning)  # 3.12+ warns of any fork beside a thread
def sockets():
    return sum(os.readlink(f"/proc/self/fd/{fd}").startswith(("socket:", "anon_inode:[eventpoll]"))
               for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}"))
before = sockets()
console = asyncconsole.start(port=0)
port = console.port
client = socket.create_connection(("127.0.0.1", port))
client.sendall(b"version\\n")
client.recv(10)
pid = os.fork()
if pid == 0:
    client.close()
    assert console.closed and console.port is None
    assert sockets() == before, sockets()
    console.close()
    own = asyncconsole.start(port=0)
    assert own is not console and own.port != port
    with socket.create_connection(("127.0.0.1", own.port)) as other:
        other.sendall(b"version\\n")
        assert other.recv(5)
    own.close()
    sys.exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
client.sendall(b"exit\\n")
data = b""
while piece := client.recv(4096):
    data += piece
assert b"pid" in data
client.close()
with socket.create_connection(("127.0.0.1", port)) as again:
    again.sendall(b"version\\n")
    assert again.recv(5)
assert os.path.exists(console.socket_path)
console.close()
print("parent goes on")
"""
    )
    assert out == "parent goes on\n"
    assert run.errors == ""


def test_two_programs_share_the_default_port_policy(program, runtime):
    first, second = program(), program()
    assert first.port != second.port
    assert {path.name for path in runtime.iterdir()} == {
        f"{one.pid}.{kind}" for one in (first, second) for kind in ("sock", "json")
    }


def test_a_stuck_log_does_not_stop_the_console(run, runtime):
    """A program that hangs inside its logging is just what one wants to look at."""
    out = run(
        """
import logging, socket, threading, time, asyncconsole
stuck = threading.Event()
class Stuck(logging.Handler):
    def emit(self, record):
        stuck.wait(30)
logging.getLogger().addHandler(Stuck())
threading.Thread(target=logging.error, args=("x",), daemon=True).start()
with asyncconsole.start(port=0) as console:
    client = socket.create_connection(("127.0.0.1", console.port))
    client.settimeout(20)
    client.sendall(b"cancel 99\\nversion\\nexit\\n")
    data = b""
    while piece := client.recv(4096):
        data += piece
    client.close()
    print(data.count(b"asyncconsole") >= 2)
    stuck.set()
"""
    )
    assert out == "True\n"


def test_the_console_of_a_busy_program_answers(program):
    bank = program()
    bank.process.stdin.write("burn\n")
    bank.process.stdin.flush()
    client = bank.connect()
    client.send("version\nexit\n")
    assert "in bank.py" in client.rest()


def test_openssl_and_a_token_open_a_tls_console(tmp_path, runtime):
    if not shutil.which("openssl"):
        pytest.skip("ABSENT: openssl")
    import socket
    import ssl

    certificate, key = str(tmp_path / "c.pem"), str(tmp_path / "k.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
         "/CN=localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    with asyncconsole.start(port=0, auth="token", tls=(certificate, key)) as console:
        context = ssl.create_default_context(cafile=certificate)
        context.check_hostname = False
        plain = socket.create_connection(("127.0.0.1", console.port), timeout=DEADLINE)
        with plain, context.wrap_socket(plain) as client:
            client.sendall(b"version\nexit\n")
            data = b""
            while piece := client.recv(4096):
                data += piece
        assert b"asyncconsole" in data
        with socket.create_connection(("127.0.0.1", console.port), timeout=DEADLINE) as plain:
            plain.sendall(b"cancel 1\n")
            assert b"asyncconsole" not in plain.recv(100)


def test_an_answers_end_does_not_wait_for_an_acknowledgement(runtime):
    with asyncconsole.start(port=0) as console:
        client = socket.create_connection(("127.0.0.1", console.port))
        with client:
            clients = console._server.doors[0].clients
            wait_until(lambda: clients)
            sock = next(iter(clients)).sock
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_closing_waits_for_a_line_whose_thread_another_one_is_about_to_start(monkeypatch):
    written = []
    line = threading.Thread(target=written.append, args=("line",))
    monkeypatch.setattr(journal, "_on_their_way", {line})
    other = threading.Timer(0.05, line.start)
    other.start()
    journal.settle()
    assert written == ["line"]
    other.join()
