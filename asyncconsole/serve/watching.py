"""Starting the periodic self-check; it loads when it is first due."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from asyncconsole.serve import loading
from asyncconsole.serve.journal import log, note

if TYPE_CHECKING:
    from asyncconsole.serve.live import LiveTarget


async def keep(target: LiveTarget, seconds: float) -> None:
    """Check the program every so many seconds, from the side loop; contains all errors.

    Args:
        target: The program.
        seconds: Between the starts of two checks.
    """
    try:
        await asyncio.sleep(seconds)
        while True:
            try:
                await loading.load(loading.RECEPTION)
                break
            except loading.StuckImportError:
                await asyncio.sleep(seconds)
        from asyncconsole.serve.selfcheck import SelfCheck  # noqa: PLC0415 - has been loaded

        await SelfCheck(target, seconds).run()
    except Exception as error:
        note(log, logging.ERROR, "the periodic self-check has ended", exc_info=error)
