"""A call that blocks the thread of a loop: the disk, the network, a sleep, a lock of threads."""

from __future__ import annotations

from asyncconsole.diagnose.phrases import spot
from asyncconsole.diagnose.stalled import StallRule, culprit
from asyncconsole.model import Stall

_THREAD = "run it in a thread (`await asyncio.to_thread(...)`)"

_INSTEAD = (
    (("time.sleep", "sleep"), "wait with `await asyncio.sleep(...)`"),
    (
        ("subprocess.", "os.system", "communicate", "check_output", "check_call", "Popen"),
        f"start it with `await asyncio.create_subprocess_exec(...)`, or {_THREAD}",
    ),
    (
        ("requests.", "urlopen", "urllib", "recv", "connect", "sendall", "getresponse", "accept"),
        f"use an asynchronous client (asyncio streams, aiohttp, httpx.AsyncClient), or {_THREAD}",
    ),
    (("getaddrinfo", "gethostby"), "resolve names with `await loop.getaddrinfo(...)`"),
    (
        ("acquire", "with "),
        "guard what tasks share with an asyncio.Lock; hold no threading.Lock across an await",
    ),
    (("result",), "await it: `await asyncio.wrap_future(future)`"),
    (("join", ".wait"), f"don't wait for threads and processes on a loop: {_THREAD}"),
    (("open", "read", "write"), f"files block: {_THREAD}"),
)
"""How a call is written, and what to do instead; the first that fits."""


class _BlockingCall(StallRule):
    kind = "blocking_call"

    def doing(self, stall: Stall) -> str:
        at = f" at {spot(stall.frame)}" if stall.frame is not None else ""
        call = f" in {stall.call}" if stall.call else ""
        return f"{culprit(stall)}{call}{at}"

    def fix(self, stall: Stall) -> str:
        for words, fix in _INSTEAD:
            if any(_calls(stall.call, word) for word in words):
                return fix
        return f"{_THREAD}, or use what can be awaited"


def _calls(call: str, word: str) -> bool:
    """True for a call of that name, of a method of that name, or of that package."""
    if word.endswith((".", " ")):
        return call.startswith(word)
    return call == word or call.rpartition(".")[2].startswith(word.lstrip("."))


RULE = _BlockingCall()
