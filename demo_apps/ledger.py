"""A price ticker that stands still whenever the nightly import reads its file: a blocking call."""

import asyncio
import signal
import time
from contextlib import suppress
from functools import partial

say = partial(print, flush=True)

SYMBOLS = ("EUR", "USD", "CHF")
READ_TAKES = 10.0  # seconds that the network drive needs for one file


def read_ledger(name: str) -> list[int]:
    """Read one file from a slow network drive, without letting anybody else run."""
    say(f"reading {name} …")
    time.sleep(READ_TAKES)
    return [len(name)] * 1000


async def nightly_import() -> None:
    """Import file after file."""
    await asyncio.sleep(1)
    for day in range(1, 10_000):
        rows = read_ledger(f"day-{day}.csv")
        say(f"imported {len(rows)} rows of day {day}")
        await asyncio.sleep(3)


async def ticker(symbol: str) -> None:
    """Pass on a price four times a second, and say so when it comes late."""
    clock = asyncio.get_running_loop().time
    while True:
        before = clock()
        await asyncio.sleep(0.25)
        late = clock() - before - 0.25
        if late > 1:
            say(f"{symbol} comes {late:.1f} s late")


async def main() -> None:
    """Run tickers and import side by side."""
    say("the ledger is open")
    jobs = [asyncio.create_task(ticker(name), name=f"ticker:{name}") for name in SYMBOLS]
    jobs.append(asyncio.create_task(nightly_import(), name="nightly-import"))
    with suppress(KeyboardInterrupt):  # stop() may have ended the import
        await asyncio.gather(*jobs)


def stop(*_: object) -> None:
    """End at once on Ctrl-C and on ``docker stop``, also out of ``time.sleep``."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
    say("the ledger is closed")
