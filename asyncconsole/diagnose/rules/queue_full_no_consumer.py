"""A full queue that nobody is left to get from."""

from __future__ import annotations

from asyncconsole.diagnose.island import IslandRule, View


class _QueueFullNoConsumer(IslandRule):
    kind = "queue_full_no_consumer"
    waits = frozenset({"queue_put", "stream_send"})
    ends = "get from it"
    fix = (
        "let the consumer outlive an error in one item (catch inside the loop, or restart it "
        "in a TaskGroup that fails as a whole), and put under `asyncio.timeout()`"
    )

    def claims(self, view: View) -> bool:
        return True


RULE = _QueueFullNoConsumer()
