"""What may befall the program while clients are in its console."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from tests.serve.conftest import DEADLINE, Client, descriptors, environment, wait_until

WIRE = b'ASYNCCONSOLE/1 {"interactive": true}\n'
TELNET = b"\xff\xfc\x18\xff\xfc\x1f"
XTERM = b"\xff\xfb\x18\xff\xfa\x18\x00xterm\xff\xf0\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0"


def inside(host):
    """Clients of each kind, in the REPL, waiting for a prompt, and in the middle of a command."""
    plain = host.connect()
    plain.send("console\nanswer + 1\n")
    plain.until("43")
    wire = host.connect()
    wire.send(WIRE + b'{"line": "console"}\n{"line": "answer + 2"}\n')
    wire.until("44")
    telnet = host.connect()
    telnet.send(TELNET + b"console\r\n")
    telnet.until(">>> ")
    telnet.send(b"answer + 3\r\n")
    telnet.until("45")
    typing = host.connect()
    typing.send("version\nps --li")
    typing.until("asyncconsole")
    awaiting = host.connect()
    awaiting.send("console\nimport asyncio\n")
    awaiting.send("print('now'); await asyncio.sleep(1000)\n")
    awaiting.until("now\n")
    watching = host.connect()
    watching.send("watch 0.2 version\n")
    watching.until("asyncconsole")
    looking = host.connect()
    looking.send(XTERM + b"top\r\n")
    looking.until("waits-2")
    return plain, wire, telnet, typing, awaiting, watching, looking


ENDINGS = {
    "it closes the console from inside the loop": "console.close()",
    "it exits": "sys.exit(0)",
    "it leaves the loop, the interpreter shuts down": "pass",
    "it is gone at once": "os._exit(0)",
    "its console closes in a thread": "threading.Thread(target=console.close).start()",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_host_that_ends_with_clients_inside(torture, ending):
    host = torture(ending=ENDINGS[ending])
    clients = inside(host)
    host.process.stdin.close()
    for client in clients:
        client.rest()
    assert host.process.wait(DEADLINE) == 0
    errors = host.process.stderr.read()
    assert all(
        "asyncconsole.audit" in line or ": console" in line for line in errors.splitlines()
    ), errors


def test_a_host_that_is_killed_with_clients_inside(torture):
    host = torture()
    clients = inside(host)
    host.process.send_signal(signal.SIGKILL)
    for client in clients:
        client.rest()


def test_a_host_that_forks_with_clients_inside(torture):
    host = torture()
    clients = inside(host)
    sockets = host.facts()["fds"]
    child, said = host.tell("fork()")
    try:
        assert said.startswith("closed "), said
        assert host.facts()["fds"] == sockets
        clients[3].send("mit 1\n")
        clients[3].until("task")
        own = Client(socket.create_connection(("127.0.0.1", int(said.split()[1])), DEADLINE))
        own.send("version\n")
        own.until(f"pid {child}")
        own.sock.close()
        host.process.stdin.close()
        for client in clients:  # they see the end though the child lives on
            client.rest()
        assert host.process.wait(DEADLINE) == 0
        os.kill(child, 0)
    finally:
        os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("first", [True, False], ids=["before the first client", "later"])
def test_no_descriptor_to_be_had(torture, first):
    """EMFILE: clients wait, the program goes on, and the console recovers by itself."""
    host = torture()
    if not first:
        host.command()
    allowed = host.tell("resource.getrlimit(resource.RLIMIT_NOFILE)[0]")
    open_now = descriptors(host.pid)
    for spare in (0, 1, 2) if first else (0,):
        host.tell(f"limit({open_now + spare})")
        waiting = [host.connect() for _ in range(20)]
        for client in waiting:
            client.send("version\nexit\n")
        beats = host.tell("beats[0]")
        wait_until(lambda: host.tell("beats[0]") > beats + 60)  # noqa: B023 - called here
        host.tell(f"limit({allowed})")
        assert "asyncconsole" in host.command()
        for client in waiting[-5:]:
            client.rest()
        for client in waiting:
            client.sock.close()
    before = host.facts()
    assert "asyncconsole" in host.command()
    host.settled(before)


def test_a_clock_that_jumps(torture):
    host = torture()
    client = host.connect()
    client.send("version\n")
    client.until("asyncconsole")
    assert host.tell("jump()")
    for line in (
        "ps",
        "where 1",
        "locks",
        "loops",
        "stalls",
        "doctor",
        "deadlocks",
        "tree",
        "version",
    ):
        assert '"done": 0' in host.command(f"{line} --json"), line
    client.send("ps\n")
    client.until("tasks")
    host.process.stdin.close()
    client.rest()
    assert host.process.wait(DEADLINE) == 0
    assert "Traceback" not in host.process.stderr.read()


FULL = """
import os, resource, sys
from asyncconsole.client.history import open_history
history = open_history()
history.store_string("ps")
where = sys.argv[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(where), resource.RLIM_INFINITY))
file = os.open(where, os.O_WRONLY | os.O_APPEND)
try:
    os.write(file, b"x" * 10)
    sys.exit("the disk is not full")
except OSError:
    os.close(file)
for line in ("where 1", "locks"):
    history.append_string(line)
print(history.get_strings()[-2:], list(open_history().load_history_strings()))
"""


def test_a_full_disk_forgets_lines_and_ends_nothing(tmp_path):
    where = tmp_path / "asyncconsole" / "history"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(where)],
        env=environment(XDG_STATE_HOME=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout == "['where 1', 'locks'] ['ps']\n", done.stderr


def test_a_full_disk_leaves_a_program_its_console(torture, tmp_path):
    """No record, no socket, no log of stalls: one line each, and TCP is served."""
    host = torture()
    size = host.tell("resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))")
    assert size is None
    again = (
        "[console.close(), globals().update(console=asyncconsole.start(port=0)), console.port][2]"
    )
    host.port = host.tell(again)
    assert "asyncconsole" in host.command()


def test_a_command_with_too_much_to_read_says_so(torture):
    one = torture(tasks=50_000)
    for _ in range(20):  # the machine may have kept it from working, as it says then
        client = one.connect()
        client.send(b'ASYNCCONSOLE/1 {}\n{"run": "deadlocks", "timeout": 0.2}\n')
        said = client.until('"done": 4')
        assert "`asyncconsole connect --timeout 60` waits longer." in said
        if "there is so much to read that it worked for 0." in said:
            break
    else:
        pytest.fail(said)
