"""A program that asks its own console: ``debug_child.py SCENARIO KIND``; prints JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import asyncconsole
from asyncconsole.commands import dispatch
from asyncconsole.render import show

CONSOLE = None
RECORDS: list[list[str]] = []


class Kept(logging.Handler):
    def emit(self, record):
        text = record.getMessage()
        RECORDS.append(["slow" if "hold_up" in text or "Executing" in text else text, "took"])


def ask(line, *, text=False):
    """Run a command on the console's side loop; from any thread but that one."""
    target, loop = CONSOLE._target, CONSOLE._side.loop
    call = dispatch.parse(line)
    result = asyncio.run_coroutine_threadsafe(call.command.run(target, call.options), loop)
    found = result.result(20)
    return show(found, json=False) if text else found.told()


async def answer(line, **how):
    """The same without blocking the loop."""
    return await asyncio.to_thread(ask, line, **how)


def hold_up(seconds):
    time.sleep(seconds)


def wrong_thread(loop):
    """What a call_soon from another thread comes to."""
    try:
        loop.call_soon(int).cancel()
    except RuntimeError:
        return "RuntimeError"
    return "none"


async def switch():
    loop = asyncio.get_running_loop()
    seen = {"status": await answer("debug")}
    seen["on"] = await answer("debug on --slow 0.05")
    await asyncio.sleep(0)
    seen["origin_on"] = sys.get_coroutine_origin_tracking_depth()
    loop.call_soon(hold_up, 0.1)
    await asyncio.sleep(0.01)
    await asyncio.sleep(0.01)
    seen["logged"] = list(RECORDS)
    seen["wrong_thread"] = await asyncio.to_thread(wrong_thread, loop)
    seen["text"] = await answer("debug on", text=True)
    seen["off"] = await answer("debug off")
    await asyncio.sleep(0)
    seen["origin_off"] = sys.get_coroutine_origin_tracking_depth()
    RECORDS.clear()
    loop.call_soon(hold_up, 0.1)
    await asyncio.sleep(0.01)
    await asyncio.sleep(0.01)
    seen["logged_off"] = list(RECORDS)
    return seen


async def blocked():
    seen = {}
    done = threading.Event()

    def other():
        while not CONSOLE._target.stalls():
            time.sleep(0.01)
        seen["asked"] = ask("debug on --slow 0.05")
        seen["taken_back"] = ask("debug off")
        seen["again"] = ask("debug on")
        done.set()

    thread = threading.Thread(target=other)
    thread.start()

    def hold_up():
        done.wait(20)

    await asyncio.sleep(0)
    hold_up()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    seen["after"] = asyncio.get_running_loop().get_debug()
    thread.join()
    return seen


async def closing():
    def modes(loop):
        return [loop.get_debug(), loop.slow_callback_duration]

    here = asyncio.get_running_loop()
    other = asyncio.new_event_loop()
    other.set_debug(True)
    other.slow_callback_duration = 0.3
    thread = threading.Thread(target=other.run_forever)
    thread.start()
    try:
        await asyncio.sleep(0.05)
        await answer("debug on --slow 3")
        assert (modes(here), modes(other)) == ([True, 3.0], [True, 3.0])
        await asyncio.to_thread(CONSOLE.close)
        await asyncio.sleep(0)
        ours = [modes(here), modes(other)]
        begin()
        await answer("debug on --slow 3 --loop 1")
        here.slow_callback_duration = 7.0
        here.set_debug(False)
        here.set_debug(True)
        before = here.get_debug()
        await answer("debug off --loop 1")
        here.set_debug(before)
        await asyncio.to_thread(CONSOLE.close)
        return {"ours": ours, "theirs": modes(here)}
    finally:
        other.call_soon_threadsafe(other.stop)
        thread.join()
        other.close()


async def handshake():
    """TLS with a client that takes its time; debug mode comes in the midst of it."""
    complaints = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: complaints.append(str(context)))
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = certify(Path(folder))
        server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_side.load_cert_chain(certificate, key)
        client_side = ssl.create_default_context(cafile=certificate)

    async def serve(_reader, writer):
        writer.write(b"hello")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_side)
    address = server.sockets[0].getsockname()
    begun, go_on = threading.Event(), threading.Event()

    def client():
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = client_side.wrap_bio(incoming, outgoing, server_hostname="localhost")
        import socket

        with socket.create_connection(address) as sock:
            sock.settimeout(20)
            while True:
                try:
                    return session.read(100).decode()
                except ssl.SSLWantReadError:
                    sock.sendall(outgoing.read())
                    incoming.write(sock.recv(65536))
                    if not begun.is_set():  # the server has answered our hello
                        begun.set()
                        go_on.wait(20)

    reading = loop.run_in_executor(None, client)
    await asyncio.to_thread(begun.wait, 20)
    await answer("debug on")
    assert loop.get_debug()
    go_on.set()
    found = await asyncio.wait_for(reading, 20)
    server.close()
    await asyncio.sleep(0.05)
    return {"answer": found, "complaints": complaints}


def certify(folder):
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return str(certificate), str(key)


def begin():
    global CONSOLE  # noqa: PLW0603 - the one that is asked
    CONSOLE = asyncconsole.start(port=0, unix_socket=False, stall_threshold=0.1)


def main(scenario, kind):
    signal.alarm(90)
    logging.getLogger("asyncconsole.stalls").propagate = False  # not on stderr
    logging.getLogger("asyncconsole.stalls").addHandler(logging.NullHandler())
    logging.getLogger("asyncio").addHandler(Kept())
    logging.getLogger("asyncio").propagate = False
    begin()
    if kind == "uvloop":
        import uvloop

        loop = uvloop.new_event_loop()
    else:
        loop = asyncio.new_event_loop()
    if kind == "eager":
        loop.set_task_factory(asyncio.eager_task_factory)
    asyncio.set_event_loop(loop)
    try:
        seen = loop.run_until_complete(globals()[scenario]())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
        CONSOLE.close()
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
