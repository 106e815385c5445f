"""Who is let in, tried with another user of this machine."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from asyncconsole.serve import access, netlink, peer
from tests.serve.conftest import environment

NOBODY = 65534

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/proc/net/tcp").exists(),
    reason="ABSENT: root and /proc, to become a second user",
)

TALK = """
import json, os, socket, sys
import encodings.idna
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
family, where, said = json.loads(sys.argv[1])
sock = socket.socket(getattr(socket, family))
sock.settimeout(20)
sock.connect(tuple(where) if isinstance(where, list) else where)
sock.sendall(said.encode("latin-1"))
{hook}
data = b""
while True:
    try:
        piece = sock.recv(65536)
    except ConnectionResetError:
        break
    if not piece:
        break
    data += piece
sys.stdout.buffer.write(data)
"""  # the interpreter may lie where only root can read it, so it changes once it runs


def as_nobody(family, where, said, hook=""):
    """What another user gets to see."""
    done = subprocess.run(
        [sys.executable, "-c", TALK.format(hook=hook), json.dumps([family, where, said])],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    return done.stdout + done.stderr


@needs_root
@pytest.mark.parametrize("said", ["cancel 1\nps\n", "", "\xff\xfb\x1f"])
def test_a_second_user_is_refused_in_one_line(program, said):
    bank = program()
    text = as_nobody("AF_INET", ["127.0.0.1", bank.port], said)
    assert text.count("\n") == 1
    assert f"This console belongs to uid 0; you are uid {NOBODY}" in text
    assert "ran:" not in bank.end()


@needs_root
def test_a_second_user_is_refused_on_the_wire(program):
    bank = program()
    said = 'ASYNCCONSOLE/1 {}\n{"run": "cancel 1"}\n'
    text = as_nobody("AF_INET", ["127.0.0.1", bank.port], said)
    assert f"you are uid {NOBODY}" in json.loads(text)["refused"]
    assert "ran:" not in bank.end()


@needs_root
def test_a_second_user_through_an_ipv6_socket_is_refused_too(program):
    bank = program()
    text = as_nobody("AF_INET6", ["::ffff:127.0.0.1", bank.port], "cancel 1\n")
    assert f"you are uid {NOBODY}" in text
    assert "ran:" not in bank.end()


@needs_root
def test_who_hangs_up_at_once_is_not_taken_for_root(program):
    """A socket without a process shows uid 0 in the kernel's table."""
    bank = program()
    for _ in range(20):
        as_nobody("AF_INET", ["127.0.0.1", bank.port], "cancel 1\n", "sock.close(); sys.exit()")
    assert "ran:" not in bank.end()


WAYS = {
    "a line": "cancel 1\nps\nlocks\nconsole\n1+1\n",
    "a telnet": "\xff\xfb\x18\xff\xfb\x1fcancel 1\r\nps\r\n",
    "a telnet that negotiates on": "\xff\xfa\x1f\0\x50\0\x18\xff\xf0" * 20 + "ps\r\n",
    "a session on the wire": 'ASYNCCONSOLE/1 {"interactive": true}\n{"line": "ps"}\n',
    "completions on the wire": 'ASYNCCONSOLE/1 {}\n{"complete": "where "}\n',
    "a made-up token": 'ASYNCCONSOLE/1 {"token": ""}\n{"run": "ps"}\n',
    "a browser": "GET / HTTP/1.1\r\n\r\nps\n",
    "interrupts": "\x03\xff\xf4ps\n",
    "everything at once": "ps\n" * 5000,
}


TRY = """
import os, json, socket, sys
import encodings.idna
port, ways = json.loads(sys.argv[1])
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
for way, said in ways.items():
    heard = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        try:
            sock.sendall(said.encode("latin-1"))
            sock.shutdown(socket.SHUT_WR)
            while piece := sock.recv(65536):
                heard += piece
        except ConnectionError:
            pass
    print(json.dumps([way, heard.decode("latin-1")]))
"""


@needs_root
@pytest.mark.parametrize("token", [None, "open sesame"])
def test_a_second_user_gets_nothing_in_any_way(program, token):
    bank = program(token=token, penalty=0.01)
    done = subprocess.run(
        [sys.executable, "-c", TRY, json.dumps([bank.port, WAYS])],
        capture_output=True, check=True, text=True, timeout=100,
    )  # fmt: skip
    heard = dict(map(json.loads, done.stdout.splitlines()))
    assert heard.keys() == WAYS.keys()
    for way, text in heard.items():
        rest = text.replace("asyncconsole.start", "")
        for secret in ("task", "bank", "loop", "asyncconsole", "hello", str(bank.pid)):
            assert secret not in rest, way
    assert "ran:" not in bank.end()


@needs_root
def test_a_second_user_who_reaches_the_unix_socket_is_refused(program):
    bank = program()
    Path(bank.socket_path).chmod(0o777)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        reached = Path(folder) / "sock"
        reached.hardlink_to(bank.socket_path)
        text = as_nobody("AF_UNIX", str(reached), "cancel 1\n")
    assert f"you are uid {NOBODY}" in text
    assert "ran:" not in bank.end()


@pytest.mark.skipif(not shutil.which("unshare"), reason="ABSENT: unshare")
def test_a_user_without_a_number_in_the_namespace_is_nobody():
    """In a container that runs as 65534, strangers are shown as 65534, too."""
    source = """
import os, socket
from asyncconsole.serve import access, netlink, peer
from tests.serve.conftest import environment
ours, theirs = socket.socketpair(socket.AF_UNIX)
print(os.geteuid(), peer.unix_uid(ours))
peer._EVERY_UID = open("/proc/self/uid_map").read().split()
print(peer.unix_uid(ours), access.visitor(ours, None).admission)
"""
    done = subprocess.run(
        ["unshare", "--user", f"--map-user={NOBODY}", sys.executable, "-c", source],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        env=environment(),
    )
    if "unshare" in done.stderr:
        pytest.skip(f"ABSENT: user namespaces: {done.stderr}")
    assert done.stdout == f"{NOBODY} {peer.UNMAPPED}\n{NOBODY} welcome\n", done.stderr


@needs_root
def test_the_unix_socket_is_out_of_reach(program):
    bank = program()
    assert "PermissionError" in as_nobody("AF_UNIX", bank.socket_path, "ps\n")


@needs_root
def test_a_second_user_comes_in_by_token(program):
    bank = program(token="open sesame")
    port = ["127.0.0.1", bank.port]
    assert "3 tasks" in as_nobody("AF_INET", port, "open sesame\ncancel 1\nps\nexit\n")
    text = as_nobody("AF_INET", port, "a\nb\nc\nps\n")
    assert text.count("That token is wrong.") == 3
    assert "tasks" not in text
    hello = 'ASYNCCONSOLE/1 {"token": "%s"}\n{"run": "ps"}\n{"run": "exit"}\n'
    assert "3 tasks" in as_nobody("AF_INET", port, hello % "open sesame")
    assert "That token is wrong" in as_nobody("AF_INET", port, hello % "close sesame")
    assert "wants a token" in as_nobody("AF_INET", port, "ASYNCCONSOLE/1 {}\n")
    errors = bank.end()
    assert f"(uid {NOBODY}) gave a wrong token" in errors
    assert f"(uid {NOBODY}) came in by token" in errors
    assert f"(uid {NOBODY}) ran: cancel 1" in errors
    assert "sesame" not in errors


def test_the_owner_needs_no_token(program):
    client = program(token="open sesame").connect()
    client.send("ps\n")
    client.until("3 tasks")


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6"])
def test_our_own_uid_is_found(family):
    host = {"AF_INET": "127.0.0.1", "AF_INET6": "::1"}[family]
    try:
        server = socket.create_server((host, 0), family=getattr(socket, family))
    except OSError:
        pytest.skip(f"ABSENT: {family}")
    with server, socket.create_connection(server.getsockname()[:2]) as client:
        accepted, _ = server.accept()
        with accepted:
            assert peer.tcp_uid(accepted) == os.getuid()
            client.shutdown(socket.SHUT_WR)
            assert peer.tcp_uid(accepted) == os.getuid()
            client.close()
            assert peer.tcp_uid(accepted) is None


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6"])
def test_the_kernel_and_its_tables_agree(family, monkeypatch):
    host = {"AF_INET": "127.0.0.1", "AF_INET6": "::1"}[family]
    try:
        server = socket.create_server((host, 0), family=getattr(socket, family))
    except OSError:
        pytest.skip(f"ABSENT: {family}")
    with server, socket.create_connection(server.getsockname()[:2]) as client:
        accepted, _ = server.accept()
        with accepted:
            ends = [
                (peer.address(end[0]), end[1])
                for end in (client.getsockname(), client.getpeername())
            ]
            asked = netlink.find_owner(*ends)
            if asked is None:
                pytest.skip("ABSENT: the kernel's sock_diag")
            assert asked == (os.getuid(), os.fstat(client.fileno()).st_ino)
            monkeypatch.setattr(netlink, "find_owner", lambda *_: None)
            assert peer.tcp_uid(accepted) == os.getuid()


def test_who_listens_on_a_port_is_not_who_connects_from_it():
    """Linux answers with a listener where there is no such connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        end = peer.address("127.0.0.1"), server.getsockname()[1]
        assert netlink.find_owner(end, (peer.address("127.0.0.1"), 1)) is None


def test_an_ipv4_client_of_a_dual_socket_is_found():
    try:
        server = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    except (OSError, ValueError):
        pytest.skip("ABSENT: dual-stack IPv6")
    with server, socket.create_connection(("127.0.0.1", server.getsockname()[1])):
        accepted, _ = server.accept()
        with accepted:
            assert peer.tcp_uid(accepted) == os.getuid()
            assert access.visitor(accepted, None).admission == "welcome"


def test_a_row_is_found_wherever_the_pieces_are_cut(tmp_path, monkeypatch):
    table = tmp_path / "tcp"
    row = b"   7: 0100007F:1234 0100007F:C3B5 01 00000000:00000000 00:00000000 0 1000 0 4242 1\n"
    table.write_bytes(b"  sl  local_address\n" + b"x" * 70 + b"\n" + row + b"y" * 50 + b"\n")
    ends = b" 0100007F:1234 0100007F:C3B5 "
    for size in range(1, 60):
        monkeypatch.setattr(peer, "_PIECE", size)
        assert peer._find_row(table, ends) == row.rstrip(b"\n")
    assert peer._find_row(table, b" 0100007F:9999 0100007F:C3B5 ") is None
    assert peer._find_row(tmp_path / "none", ends) is None


def test_the_kernels_byte_order():
    word = peer._hex(socket.inet_aton("127.0.0.1"))
    assert word == ("0100007F" if sys.byteorder == "little" else "7F000001")
