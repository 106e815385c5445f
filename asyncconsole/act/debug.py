"""asyncio's debug mode and slow-callback threshold of a loop, changed while it runs.

Debug mode is switched on by the loop's own thread, between two callbacks: a TLS handshake that
began before would else fail at its end, and whoever awaits it hang (``SSLProtocol`` in
``Lib/asyncio/sslproto.py`` takes the time of a handshake that began without debug mode from
None; CPython 3.10 to 3.15).
"""

from __future__ import annotations

import math
import sys
import weakref
from typing import Any, NamedTuple

from asyncconsole.act.errand import Errand
from asyncconsole.capture.objects import attribute

_DEEPEST = 8
"""TLS within TLS that is looked through."""


class Mode(NamedTuple):
    """A loop's settings: debug mode, and the seconds after which a callback is slow, if known."""

    debug: bool
    slow: float | None


class Switch:
    """One loop, whose settings are changed by the console, and put back at its end.

    Args:
        loop: The loop; held weakly.

    Attributes:
        errand: Debug mode that is on its way to the loop's thread; None for none.
    """

    def __init__(self, loop: Any) -> None:
        self.errand: Errand | None = None
        self._loop = weakref.ref(loop)
        self._before = mode(loop)
        self._set = self._before

    def of(self, loop: Any) -> bool:
        """True for the switch of that loop."""
        return self._loop() is loop

    @property
    def gone(self) -> bool:
        """True when the loop is there no more, or is closed."""
        loop = self._loop()
        return loop is None or bool(loop.is_closed())

    @property
    def pending(self) -> bool:
        """True while debug mode is on its way."""
        return self.errand is not None and self.errand.done is None

    def change(self, *, debug: bool | None, slow: float | None) -> None:
        """Change settings; None leaves one as it is."""
        loop = self._loop()
        if loop is None:
            return
        if slow is not None:
            loop.slow_callback_duration = slow
            self._set = self._set._replace(slow=slow)
        if debug is None:
            return
        self._set = self._set._replace(debug=debug)
        if self.errand is not None:
            self.errand.take_back()
            self.errand = None
        if bool(loop.get_debug()) == debug:
            return
        if debug and loop.is_running():
            self.errand = Errand(loop, _On(self._loop))
        else:
            loop.set_debug(debug)

    def put_back(self) -> None:
        """As it was before the console changed it, where nobody else has changed it since."""
        loop = self._loop()
        if loop is None or loop.is_closed():
            return
        now = mode(loop)
        debug = self._before.debug if now.debug == self._set.debug or self.pending else None
        ours = now.slow == self._set.slow and now.slow != self._before.slow
        self.change(debug=debug, slow=self._before.slow if ours else None)


class _On:
    """Switches debug mode on, in the loop's thread."""

    def __init__(self, loop: weakref.ref[Any]) -> None:
        self._loop = loop

    def __call__(self) -> str:
        loop = self._loop()
        if loop is not None:
            _time_handshakes(loop)
            loop.set_debug(True)
        return ""


def mode(loop: Any) -> Mode:
    """The settings of a loop."""
    slow = getattr(loop, "slow_callback_duration", None)
    if not isinstance(slow, int | float) or not math.isfinite(slow):
        return Mode(bool(loop.get_debug()), None)
    return Mode(bool(loop.get_debug()), float(slow))


def _time_handshakes(loop: Any) -> None:
    """Give TLS handshakes that are under way a time at which they began."""
    module = sys.modules.get("asyncio.sslproto")
    transports = attribute(loop, "_transports")
    if module is None or not isinstance(transports, weakref.WeakValueDictionary):
        return  # a loop of other making, which keeps no list: uvloop
    for transport in list(transports.values()):
        protocol = attribute(transport, "_protocol")
        for _ in range(_DEEPEST):
            if not isinstance(protocol, module.SSLProtocol):
                break
            if attribute(protocol, "_handshake_start_time", 0.0) is None:
                protocol._handshake_start_time = loop.time()  # noqa: SLF001 - it has no other
            protocol = attribute(protocol, "_app_protocol")
