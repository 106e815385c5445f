"""`connect -c`, scripts on stdin, and every way in which that can fail."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.client.cli import COMMAND, client, complaint, environment, record
from tests.client.fake import Peer, Server, answering, closing, saying, silent

PS = [{"out": "ID  NAME\n"}, {"out": " 1  main→x\n"}, {"done": 0}]
if TYPE_CHECKING:
    from pathlib import Path

LIVE = os.getppid()  # a process that lives as long as the test


def test_output_alone_and_nothing_else(tmp_path: Path) -> None:
    with Server(answering({"ps": PS, "loops": [{"out": "loop\n"}, {"done": 0}]})) as server:
        done = client(tmp_path, "connect", server.address, "-c", "ps", "-c", "loops")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "ID  NAME\n 1  main→x\nloop\n"
    greeting, *runs = server.got
    assert greeting == {"interactive": False, "width": 1000, "colour": False}
    assert [run["run"] for run in runs] == ["ps", "loops"]
    assert all(0 < run["timeout"] <= 10 for run in runs)


def test_json_is_asked_of_each_command_once(tmp_path: Path) -> None:
    answers = {"ps --json": [{"out": "{}\n"}, {"done": 0}]}
    with Server(answering(answers)) as server:
        done = client(tmp_path, "connect", server.address, "-c", "ps", "-c", "ps --json", "--json")
    assert (done.returncode, done.stdout) == (0, "{}\n{}\n")


def test_first_code_that_is_not_zero(tmp_path: Path) -> None:
    answers = {
        "a": [{"done": 0}],
        "b": [{"out": "half\n"}, {"error": "task 9 is gone"}, {"done": 1}],
    }
    with Server(answering(answers)) as server:
        done = client(tmp_path, "connect", server.address, "-c", "a", "-c", "b", "-c", "c")
    assert done.returncode == 1
    assert done.stdout == "half\n"
    assert done.stderr.splitlines() == [
        "asyncconsole: task 9 is gone",
        "asyncconsole: No command.",
    ]


def test_lines_of_stdin_are_a_script(tmp_path: Path) -> None:
    def serve(peer: Peer, server: Server) -> None:
        server.got.append(peer.greeted())
        while (message := peer.receive()) is not None:
            server.got.append(message)
            if message.get("run") == "ask":
                peer.send({"prompt": "sure? ", "python": False})
            elif message.get("run"):
                peer.send({"out": f"did {message['run']}\n"}, {"done": 0})
            elif message.get("line"):
                peer.send({"out": f"heard {message['line']}\n"}, {"done": 0})
            else:
                peer.send({"done": 0})

    script = "ps\n\n# nothing\nask\nyes\nloops\nexit\nnever\n"
    with Server(serve) as server:
        done = client(tmp_path, "connect", server.address, stdin=script)
        asked = client(tmp_path, "connect", server.address, "-c", "ask", stdin="yes\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "did ps\nheard yes\ndid loops\n"
    assert asked.stdout == ""
    assert server.got[-1] == {"eof": True}


def test_a_goodbye_ends_a_script_quietly(tmp_path: Path) -> None:
    answers = {"leave": [{"bye": ""}], "ps": PS}
    with Server(answering(answers)) as server:
        done = client(tmp_path, "connect", server.address, "-c", "leave", "-c", "ps")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_unix_socket_and_pid_and_the_only_one(tmp_path: Path) -> None:
    path = tmp_path / "c.sock"
    with Server(answering({"ps": PS}), path):
        assert client(tmp_path, "connect", str(path), "-c", "ps").returncode == 0
        record(tmp_path, LIVE, socket=str(path))
        assert client(tmp_path, "connect", str(LIVE), "-c", "ps").stdout.startswith("ID")
        assert client(tmp_path, "connect", "-c", "ps").stdout.startswith("ID")


def test_several_consoles_and_nobody_to_choose(tmp_path: Path) -> None:
    record(tmp_path, LIVE, port=1)
    record(tmp_path, os.getpid(), port=1, argv=("python", "-m", "shop"))
    done = client(tmp_path, "connect", "-c", "ps")
    assert done.returncode == 3
    said = complaint(done)
    assert f"{LIVE} (bank.py)" in said
    assert f"{os.getpid()} (shop)" in said


def test_ipv6(tmp_path: Path) -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 loopback here")
    server = Server(answering({"ps": PS}))
    server.sock.close()
    server.sock = listener
    with server:
        assert client(tmp_path, "connect", f"[::1]:{server.port}", "-c", "ps").returncode == 0


def test_token_from_file_or_variable(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from file\n")
    (tmp_path / "token").chmod(0o600)
    with Server(answering({"ps": PS})) as server:
        words = ("connect", server.address, "-c", "ps")
        client(tmp_path, *words, "--token-file", str(tmp_path / "token"), ASYNCCONSOLE_TOKEN="v")
        client(tmp_path, *words, ASYNCCONSOLE_TOKEN="from variable")
        missing = client(tmp_path, *words, "--token-file", str(tmp_path / "nowhere"))
    tokens = [message["token"] for message in server.got if "token" in message]
    assert tokens == ["from file", "from variable"]
    assert missing.returncode == 2
    assert "nowhere" in complaint(missing)


@pytest.mark.parametrize(
    ("target", "code", "word"),
    [
        ("127.0.0.1:1", 3, "refused"),
        ("/nowhere/at/all.sock", 3, "No such file"),
        ("99999999", 3, "no console"),
        ("nonsense", 2, "HOST:PORT"),
        ("127.0.0.1:70000", 2, "port"),
        ("::1:50101", 2, "brackets"),
    ],
)
def test_targets_that_are_not_there(target: str, code: int, word: str, tmp_path: Path) -> None:
    done = client(tmp_path, "connect", target, "-c", "ps")
    assert (done.returncode, done.stdout) == (code, "")
    assert word in complaint(done)


def test_no_console_at_all(tmp_path: Path) -> None:
    done = client(tmp_path, "connect", "-c", "ps")
    assert done.returncode == 3
    assert "asyncconsole run" in complaint(done)


@pytest.mark.parametrize(
    ("serve", "word"),
    [
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n"), "SSH-2.0"),
        (saying(b"\x00\xff" * 40000), "no asyncconsole"),
        (saying(b'{"something": "else"}\n'), "no asyncconsole"),
        (saying(b"[" * 60000 + b"\n"), "no asyncconsole"),
        (saying(b'{"refused": "not for you"}\n'), "not for you"),
        (saying(b'{"refused": "\\u001b[2Jgone"}\n'), "?[2Jgone"),
        (closing, "without a word"),
    ],
    ids=["ssh", "noise", "json", "deep", "refused", "escape", "closing"],
)
def test_what_is_no_console(serve: object, word: str, tmp_path: Path) -> None:
    with Server(serve) as server:  # type: ignore[arg-type] # parametrised
        done = client(tmp_path, "connect", server.address, "-c", "ps")
    assert (done.returncode, done.stdout) == (3, "")
    assert word in complaint(done)


def mute_after_hello(peer: Peer, server: Server) -> None:
    peer.greeted()
    silent(peer, server)


def trickle(peer: Peer, server: Server) -> None:
    """Says something for ever, so that every single wait is short."""
    peer.greeted()
    peer.receive()
    stop = time.monotonic() + 20
    while time.monotonic() < stop:
        peer.send({"out": "."})
        time.sleep(0.05)


@pytest.mark.parametrize("serve", [silent, mute_after_hello, trickle])
def test_no_answer_in_time(serve: object, tmp_path: Path) -> None:
    with Server(serve) as server:  # type: ignore[arg-type] # parametrised
        before = time.monotonic()
        done = client(tmp_path, "connect", server.address, "-c", "ps", "--timeout", "0.5")
        assert time.monotonic() - before < 15  # far below what `trickle` takes
    assert done.returncode == 4
    assert "--timeout" in complaint(done)


def test_a_stopped_process(tmp_path: Path) -> None:
    program = (
        "import socket, sys, time\n"
        "s = socket.create_server(('127.0.0.1', 0))\n"
        "print(s.getsockname()[1], flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            port = int(child.stdout.readline())
            child.send_signal(signal.SIGSTOP)
            done = client(tmp_path, "connect", f"127.0.0.1:{port}", "-c", "ps", "--timeout", "0.5")
        finally:
            child.kill()
    assert done.returncode == 4


def test_a_program_that_ends_during_a_command(tmp_path: Path) -> None:
    with Server(answering({"ps": [{"out": "begun\n"}, {"done": 0}]})) as server:
        done = client(tmp_path, "connect", server.address, "-c", "ps")
        assert done.returncode == 0

    def serve(peer: Peer, server: Server) -> None:
        del server
        peer.greeted()
        peer.receive()
        peer.send({"out": "begun\n"})

    with Server(serve) as server:
        done = client(tmp_path, "connect", server.address, "-c", "ps")
    assert (done.returncode, done.stdout) == (3, "begun\n")
    assert "closed" in complaint(done)


def test_a_reader_that_leaves_early(tmp_path: Path) -> None:
    answers = {"ps": [{"out": "line\n" * 10_000}] * 30 + [{"done": 0}]}
    with Server(answering(answers)) as server:
        child = subprocess.Popen(
            [*COMMAND, "connect", server.address, "-c", "ps"],
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == b"line\n"
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(30) == 0
        child.stderr.close()


def test_ctrl_c_interrupts_the_command(tmp_path: Path) -> None:
    with Server(answering({"ps": []})) as server:
        child = subprocess.Popen(
            [*COMMAND, "connect", server.address, "-c", "ps"],
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        end = time.monotonic() + 20
        while not any("run" in message for message in server.got):
            assert time.monotonic() < end
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        out, errors = child.communicate(timeout=20)
    assert (child.returncode, out, errors) == (130, b"", b"")
    assert server.got[-1] == {"interrupt": True}


def test_columns_and_characters_the_stream_lacks(tmp_path: Path) -> None:
    with Server(answering({"ps": PS})) as server:
        done = subprocess.run(
            [*COMMAND, "connect", server.address, "-c", "ps"],
            env=environment(tmp_path, COLUMNS="77", PYTHONIOENCODING="ascii"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=True,
        )
    assert done.stdout == b"ID  NAME\n 1  main?x\n"
    assert server.got[0]["width"] == 77


def test_the_greeting_is_what_the_wire_says(tmp_path: Path) -> None:
    with Server(answering({"ps": PS})) as server:
        client(tmp_path, "connect", server.address, "-c", "ps", ASYNCCONSOLE_TOKEN="t")
    assert server.got[0] == {"interactive": False, "width": 1000, "colour": False, "token": "t"}
