"""A queue that nobody is left to put into."""

from __future__ import annotations

from asyncconsole.diagnose.island import IslandRule, View


class _QueueNoProducer(IslandRule):
    kind = "queue_no_producer"
    waits = frozenset({"queue_get", "stream_receive"})
    ends = "put into it"
    fix = (
        "tell consumers that no more comes (a sentinel for each, or `Queue.shutdown()` on "
        "3.13), or cancel them once `join()` is through"
    )

    def claims(self, view: View) -> bool:
        # Idle workers look the same: it matters where somebody waits for them to end.
        return bool(view.island.victims)


RULE = _QueueNoProducer()
