"""Clients that answer no telnet negotiation: nc, scripts, and worse."""

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.serve.conftest import DEADLINE

PROMPT = "> "


def test_a_script_gets_its_answers_and_the_end(program):
    client = program().connect()
    client.send("version\nps\nexit\n")
    text = client.rest()
    assert text.startswith("asyncconsole ")
    assert "3 tasks" in text
    assert "\x1b" not in text
    assert "\xff" not in text


def test_the_banner_and_the_prompt(program):
    bank = program()
    client = bank.connect()
    client.send("\n")
    banner = client.until("\n\n")
    first, second = banner.strip().splitlines()
    assert " · bank.py · " in first
    assert f"pid {bank.pid}" in first
    assert first.endswith("up 3 min")
    assert second == "1 loop, 3 tasks."
    client.until(f"bank {bank.pid}> ")


def test_the_prompt_says_that_a_loop_is_blocked(program):
    client = program(blocked=True).connect()
    client.send("\n")
    client.until("[BLOCKED 4.1 s]> ")


def test_queued_lines_are_answered_after_the_client_has_ended_its_side(program):
    client = program().connect()
    client.send("version\nps --json")
    client.sock.shutdown(socket.SHUT_WR)
    text = client.rest()
    assert '"schema": "asyncconsole/tasks/1"' in text


def test_nc_gets_a_prompt_without_a_word(program):
    if not shutil.which("nc"):
        pytest.skip("ABSENT: nc")
    bank = program()
    nc = subprocess.Popen(
        ["nc", "127.0.0.1", str(bank.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        seen = b""
        while PROMPT.encode() not in seen:
            piece = os.read(nc.stdout.fileno(), 4096)
            assert piece
            seen += piece
        nc.stdin.write(b"ps\nexit\n")
        nc.stdin.flush()
        assert b"3 tasks" in nc.communicate(timeout=DEADLINE)[0]
    finally:
        nc.kill()
        nc.wait()
        nc.stdin.close()
        nc.stdout.close()


def test_a_silent_client_gets_a_prompt_and_few_odd_bytes_before_it(program):
    client = program().connect()
    client.until(PROMPT)
    client.send("help\r\n")
    client.until("cancel")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\ncancel 1\r\n",
        b"POST / HTTP/1.1\r\nContent-Type: text/plain\r\n\r\ncancel 1\ncancel 2\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ncancel 1\n",
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\ncancel 1\n",
        b"weird /x HTTP/1.1\r\n\r\ncancel 1\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03cancel 1\n",
        b"\x00\x01\x02cancel 1\ncancel 1\n",
    ],
)
def test_a_browser_is_closed_unread(program, request_bytes):
    bank = program()
    client = bank.connect()
    client.send(request_bytes)
    assert client.rest() == ""
    assert "ran: cancel" not in bank.end()


@pytest.mark.parametrize("cut", [1, 3, 10])
def test_a_browser_that_is_slow_or_split_runs_nothing_either(program, cut):
    bank = program()
    client = bank.connect()
    request = b"GET /x HTTP/1.1\r\n\r\ncancel 1\ncancel 1\n"
    client.until(PROMPT)  # it was silent: plain lines by now
    client.send(request[:cut])
    time.sleep(0.05)  # let the piece arrive alone: there is nothing to wait for
    client.send(request[cut:])
    client.rest()
    assert "ran: cancel" not in bank.end()


def test_a_line_of_ten_megabytes_closes_with_one_line(program):
    bank = program()
    client = bank.connect()
    client.send("\n")
    client.until(PROMPT)

    def pour():
        try:
            for _ in range(160):
                client.sock.sendall(b"x" * 65536)
        except OSError:
            return

    thread = threading.Thread(target=pour)
    thread.start()
    said = client.rest()
    client.sock.close()
    thread.join(DEADLINE)
    assert "64 KiB" in said
    assert len(said.splitlines()) == 1
    assert bank.ask()["threads"] >= 2


def test_a_subnegotiation_without_end_is_closed(program):
    client = program().connect()
    client.send(b"\xff\xfb\x18\xff\xfa\x18" + b"x" * 5000)
    client.rest()


def test_a_client_that_never_reads_harms_nobody(program):
    bank = program(tasks=20_000)
    deaf = bank.connect()
    deaf.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.send("ps\n" * 200)
    before = _memory(bank.pid)
    other = bank.connect()
    for _ in range(5):
        other.send("version\n")
        other.until("asyncconsole")
    assert bank.ask()
    assert _memory(bank.pid) - before < 64 * 1024 * 1024


def test_ctrl_c_interrupts_the_command_and_the_session_goes_on(program):
    bank = program(slow=60)
    client = bank.connect()
    client.send("ps\n")
    bank.looking()
    client.send(b"\x03")
    client.until("Interrupted.")
    client.send(b"version\n")
    client.until("bank.py")


def test_telnets_interrupt_does_the_same_and_its_timing_mark_is_answered(program):
    bank = program(slow=60)
    client = bank.connect()
    client.send("ps\n")
    bank.looking()
    client.send(b"\xff\xf4\xff\xfd\x06")
    client.until(b"\xff\xfb\x06")
    client.until("Interrupted.")
    client.send(b"version\n")
    client.until("bank.py")


def test_mistakes_get_one_line_with_the_nearest(program):
    client = program().connect()
    client.send("cancle 3\nps --jsno\nps 'x\n")
    client.until("No command `cancle`. Did you mean `cancel`?\n")
    client.until("no option `--jsno`. Did you mean `--json`?\n")
    client.until("Close the quote")


def test_invalid_text_is_replaced(program):
    client = program().connect()
    client.send(b"x\xed\xa0\x80\xfe\n")
    client.until("No command `x")
    client.send("version\n")
    client.until("asyncconsole")


def test_what_changes_the_program_is_refused_by_a_read_only_console(program):
    bank = program(read_only=True)
    client = bank.connect()
    client.send("cancel 1\nconsole\nps\n")
    assert client.until("read-only.").count("\n") >= 2
    client.until("`console` runs code in the program, and this console is read-only.")
    client.until("3 tasks")
    assert "ran:" not in bank.end()


def test_no_repl_where_none_is_served(program):
    client = program(repl=False).connect()
    client.send("console\ncancel 1\n")
    client.until("without a REPL")
    client.until("cancelled")


def test_changes_are_logged_with_the_peer(program):
    bank = program()
    client = bank.connect()
    client.send("cancel task-2\nexit\n")
    client.rest()
    errors = bank.end()
    lines = [line for line in errors.splitlines() if line.startswith("asyncconsole.audit")]
    assert len(lines) == 2
    assert lines[0].endswith(f"(uid {os.getuid()}) ran: cancel task-2")
    assert lines[1].endswith(f"(uid {os.getuid()}) ended: cancel task-2: exit code 0")
    assert all("127.0.0.1 port" in line for line in lines)


def test_a_client_writes_no_lines_of_its_own_into_the_log(program):
    bank = program()
    client = bank.connect()
    forged = "cancel task-2\nasyncconsole.audit WARNING all is well\x1b[2J"
    client.send("ASYNCCONSOLE/1 {}\n" + json.dumps({"run": forged}) + "\n")
    while "done" not in client.message():
        pass
    client.sock.close()
    errors = bank.end()
    assert "ran: cancel task-2 asyncconsole.audit WARNING all is well\\x1b[2J" in errors
    assert "\x1b" not in errors
    assert "\nasyncconsole.audit WARNING all is well" not in errors


def test_unix_socket(program):
    client = program().connect_unix()
    client.send("ps\nexit\n")
    assert "3 tasks" in client.rest()


def _memory(pid):
    """Resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
