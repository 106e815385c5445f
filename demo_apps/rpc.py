"""A remote procedure call whose answer never comes: a future that nobody resolves."""

import asyncio
import json
import signal
from contextlib import suppress
from functools import partial
from itertools import count

say = partial(print, flush=True)

RETRIED = 3  # the call whose answer comes twice


class RpcClient:
    """Many calls over one connection; a reader hands each answer to its caller."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.numbers = count(1)
        self.pending: dict[int, asyncio.Future[object]] = {}

    async def call(self, method: str) -> object:
        """Ask the server and wait for its answer."""
        number = next(self.numbers)
        self.pending[number] = asyncio.get_running_loop().create_future()
        self.writer.write(json.dumps({"id": number, "method": method}).encode() + b"\n")
        return await self.pending[number]

    async def read_answers(self) -> None:
        """Resolve pending calls; dies of the first answer that nobody asked for."""
        while line := await self.reader.readline():
            answer = json.loads(line)
            self.pending.pop(answer["id"]).set_result(answer["result"])


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer calls. One answer comes twice, as after a retry in a proxy."""
    with suppress(asyncio.CancelledError):  # the end of the program
        while line := await reader.readline():
            call = json.loads(line)
            answer = {"id": call["id"], "result": f"{call['method']}: 42"}
            copies = 2 if call["id"] == RETRIED else 1
            writer.write((json.dumps(answer).encode() + b"\n") * copies)
            await asyncio.sleep(0.05)


async def caller(client: RpcClient, method: str, pause: float) -> None:
    """Ask the same question again and again."""
    while True:
        say(await client.call(method))
        await asyncio.sleep(pause)


async def heartbeat(client: RpcClient) -> None:
    """Say how many calls are under way."""
    while True:
        await asyncio.sleep(1)
        say(f"{len(client.pending)} calls wait for an answer")


async def main() -> None:
    """Run server, client and three callers in one process."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = RpcClient(*await asyncio.open_connection(*server.sockets[0].getsockname()))
    reader = asyncio.create_task(client.read_answers(), name="rpc-reader")
    callers = [("balance", 0.3), ("rate", 0.4), ("limits", 0.5)]
    await asyncio.gather(
        asyncio.create_task(heartbeat(client), name="heartbeat"),
        *(asyncio.create_task(caller(client, m, s), name=f"call:{m}") for m, s in callers),
        return_exceptions=True,  # one caller that gives up doesn't stop the others
    )
    await reader


def stop(*_: object) -> None:
    """End at once on Ctrl-C and on ``docker stop``."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
    say("the callers gave up")
