"""Waiting, but not for ever: and leaving nothing behind."""

import asyncio
import gc

import pytest

from asyncconsole.serve.patience import within


@pytest.mark.parametrize("turns", range(6))
def test_a_wait_given_up_in_the_moment_of_an_error_leaves_no_complaint(turns):
    """A client that is shown out while it resets its connection wrote a traceback into the log."""
    complaints = []

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: complaints.append(context["message"]))
        reset = loop.create_future()

        async def read():
            await reset

        waiting = loop.create_task(within(60, read()))
        await asyncio.sleep(0.01)
        reset.set_exception(ConnectionResetError())
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises((asyncio.CancelledError, ConnectionResetError)):
            await waiting

    asyncio.run(main())
    gc.collect()
    assert complaints == []
