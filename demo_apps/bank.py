"""A bank whose two transfers wait for each other's account, for ever."""

import asyncio
import signal
from contextlib import suppress
from functools import partial

say = partial(print, flush=True)

BALANCE = {"alice": 100, "bob": 80, "carol": 20}
ACCOUNTS = {name: asyncio.Lock() for name in BALANCE}


async def transfer(src: str, dst: str, amount: int) -> None:
    """Move money while both accounts are locked."""
    async with ACCOUNTS[src]:
        await asyncio.sleep(0.1)  # asks the fraud check whether src may pay
        async with ACCOUNTS[dst]:
            BALANCE[src] -= amount
            BALANCE[dst] += amount
            say(f"{src} paid {amount} to {dst}")


async def audit() -> None:
    """Count the money every two seconds, account by account."""
    while True:
        await asyncio.sleep(1)
        total = 0
        for name, account in ACCOUNTS.items():
            async with account:
                total += BALANCE[name]
        say(f"audit: {total} in {len(ACCOUNTS)} accounts")
        await asyncio.sleep(1)


async def heartbeat() -> None:
    """Show that the event loop is alive although the bank is not."""
    while True:  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0.5)


async def main() -> None:
    """Open the bank."""
    say("the bank is open")
    beat = asyncio.create_task(heartbeat(), name="heartbeat")
    await asyncio.gather(
        asyncio.create_task(transfer("alice", "bob", 30), name="transfer:a→b"),
        asyncio.create_task(transfer("bob", "alice", 10), name="transfer:b→a"),
        asyncio.create_task(audit(), name="audit"),
        return_exceptions=True,  # one failed transfer doesn't close the bank
    )
    beat.cancel()


def stop(*_: object) -> None:
    """End at once on Ctrl-C and on ``docker stop``."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
    say("the bank is closed")
