"""Slow callbacks by place (``stalls --top``), and the steps of one task (``where``)."""

from __future__ import annotations

from asyncconsole.commands import phrases
from asyncconsole.commands.port import Target
from asyncconsole.commands.probe import not_timed
from asyncconsole.model import Column, Line, Result, Table, Task, Text, UsageError, line
from asyncconsole.model.callbacks import Durations, Polls, SlowAccount, SlowSite, edge

USUAL = 20
"""Places that are shown, when not told otherwise."""

MOST_SEEN = 3
"""Lines that a place is shown with."""

BARS = "▁▂▃▄▅▆▇█"
NONE = "·"


def top(target: Target, count: int | None) -> Result:
    """The places with the slowest callbacks.

    Args:
        target: The program.
        count: How many; None for the usual number.

    Raises:
        UsageError: ``count`` is no number of places.
    """
    if count is not None and count < 1:
        msg = "stalls --top: give a number of places from 1."
        raise UsageError(msg)
    account = target.slow_callbacks()
    shown = account.sites[: count or USUAL]
    document = {
        "schema": "asyncconsole/callbacks/1",
        "on": account.on,
        "slow": account.slow,
        "since": account.since or None,
        "seconds": round(account.seconds, 3),
        "callbacks": [_document(site) for site in shown],
        "total": len(account.sites),
        "other": None if account.other is None else durations_document(account.other),
        "loops_not_timed": list(account.unmeasured),
        "tasks_not_timed": account.untimed,
        "broken": account.broken or None,
    }
    lines = _headline(account)
    if account.since and account.unmeasured:
        lines.append(not_timed(account.unmeasured))
    if account.broken:
        lines.append(line((f"Timing failed and is off: {account.broken}", "warn")))
    blocks: list[Table | Text] = [Text(tuple(lines))]
    if shown:
        blocks.append(_table(shown))
    blocks.append(Text(tuple(_rest(account, len(shown)))))
    return Result(document, tuple(blocks))


def _headline(account: SlowAccount) -> list[Line]:
    if not account.since:
        return [line(("Callbacks are not timed; `probe on --polls` does.", "warn"))]
    slow, lasted = phrases.brief(account.slow), phrases.age(account.seconds, exact=True)
    parts = [site.durations for site in account.sites]
    parts += [] if account.other is None else [account.other]
    number = sum(part.count for part in parts)
    if not number:
        what = f"No callback took {slow} or more in the last {lasted}."
    else:
        each = phrases.plural(number, "callback")
        total = phrases.brief(sum(part.total for part in parts))
        what = f"{each} took {slow} or more in {lasted}, {total} together."
    if not account.on:
        what += " They are not timed any more."
    return [line(what)]


def _rest(account: SlowAccount, shown: int) -> list[Line]:
    """What the table leaves out."""
    lines = []
    more = len(account.sites) - shown
    if more > 0:
        each = phrases.plural(more, "further place")
        lines.append(line((f"{each}; `stalls --top {len(account.sites)}` shows all", "dim")))
    if account.other is not None:
        each, total = phrases.plural(account.other.count, "callback"), account.other.total
        lines.append(line((f"other places: {each}, {phrases.brief(total)} together", "dim")))
    if account.untimed:
        each = phrases.plural(account.untimed, "task")
        lines.append(line((f"{each} not timed: there were too many", "warn")))
    return lines


def _table(sites: tuple[SlowSite, ...]) -> Table:
    low, high = _range([site.durations for site in sites])
    columns = (
        Column("PLACE", least=24),
        Column("TASK", least=8),
        Column("COUNT", "right"),
        Column("TOTAL", "right"),
        Column("MAX", "right"),
        Column("P50", "right"),
        Column("P99", "right"),
        Column(_scale(low, high), spare=True),
        Column("SEEN AT", least=12),
    )
    rows = []
    for site in sites:
        took = site.durations
        rows.append(
            (
                (place(site),),
                (line((site.task, "name") if site.kind == "step" else ("(a callback)", "dim")),),
                (line(str(took.count)),),
                (line(phrases.brief(took.total)),),
                (line(phrases.brief(took.longest)),),
                (line(phrases.brief(took.quantile(0.5) or 0.0)),),
                (line(phrases.brief(took.quantile(0.99) or 0.0)),),
                (line(_bars(took, low, high)),),
                _seen(site),
            )
        )
    return Table(columns, tuple(rows))


def place(site: SlowSite) -> Line:
    """``chat.py:12 → 15 serve``: from where a coroutine waited to where it waited next."""
    begin, end = site.start, site.end
    if site.kind == "callback":
        return line((site.function, "library")) if begin is None else phrases.spot(begin)
    if begin is None and end is None:
        return line((f"… → its end  {site.function}", "own"))
    if begin is None:
        return line("… → ", *phrases.spot(end))
    if end is None:
        return line(*phrases.spot(begin), " → its end")
    if (begin.file, begin.function) != (end.file, end.function):
        return line(*phrases.spot(begin), " → ", *phrases.spot(end))
    where = f"{phrases.base(begin.file)}:{begin.line}"
    to = "" if begin.line == end.line else f" → {end.line}"
    return line((f"{where}{to} {begin.function}", "own" if begin.own else "library"))


def _seen(site: SlowSite) -> tuple[Line, ...]:
    """Where the thread was found in the midst of it."""
    looks = sum(times for _, _, times in site.seen)
    lines = []
    for frame, call, times in site.seen[:MOST_SEEN]:
        often = f", {times} of {looks}" if len(site.seen) > 1 else ""
        lines.append(line(*phrases.spot(frame), f" → {call}" if call else "", (often, "dim")))
    return tuple(lines) or (line(""),)


def polls(target: Target, task: Task) -> list[Line]:
    """How long the steps of a task take; nothing while callbacks are not timed."""
    if not target.probe().polls:
        return []
    found = target.polls(task.id)
    if found is None:
        if task.loop in target.slow_callbacks().unmeasured:
            return [line(("  steps are not timed: its loop runs them in C", "dim"))]
        return [line(("  no step of it has been timed yet", "dim"))]
    whole = found.busy + found.scheduled + found.idle
    shares = [
        f"{word} {phrases.brief(part)} ({part / whole * 100 if whole else 0:.1f} %)"
        for word, part in (
            ("busy", found.busy),
            ("ready but not run", found.scheduled),
            ("idle", found.idle),
        )
    ]
    timed = phrases.plural(found.steps.count, "step")
    return [
        line(f"  {timed} in {phrases.age(whole, exact=True)}: {', '.join(shares)}"),
        *_histogram("each step took", found.steps),
        *_histogram("ready before it", found.delays),
    ]


def _histogram(what: str, took: Durations) -> list[Line]:
    if not took.count:
        return []
    low, high = _range([took])
    numbers = "  ".join(
        f"{name} {phrases.brief(value or 0.0):>7}"
        for name, value in (
            ("p50", took.quantile(0.5)),
            ("p99", took.quantile(0.99)),
            ("max", took.longest),
        )
    )
    bars = _bars(took, low, high)
    return [line(f"    {what:15}  {numbers}  ", (f"{bars} {_scale(low, high)}", "dim"))]


def _range(many: list[Durations]) -> tuple[int, int]:
    """The first and last bucket that anything is in."""
    used = [at for took in many for at, count in enumerate(took.counts) if count]
    return min(used, default=0), max(used, default=0)


def _scale(low: int, high: int) -> str:
    """``8 ms … 34 ms``: where the bars begin and end."""
    begin = phrases.brief(edge(low - 1)) if low else "0"
    last = phrases.brief(edge(high)) if edge(high) != float("inf") else "more"
    return f"{begin} … {last}"


def _bars(took: Durations, low: int, high: int) -> str:
    """One bar for each bucket."""
    most = max(took.counts, default=0)
    return "".join(
        BARS[-(-count * len(BARS) // most) - 1] if count else NONE
        for count in took.counts[low : high + 1]
    )


def durations_document(took: Durations) -> dict[str, object]:
    """Durations as ``--json`` shows them."""
    return {
        "count": took.count,
        "total": _round(took.total),
        "max": _round(took.longest),
        "p50": _round(took.quantile(0.5)),
        "p99": _round(took.quantile(0.99)),
        "histogram": [
            {"below": None if edge(at) == float("inf") else edge(at), "count": count}
            for at, count in enumerate(took.counts)
            if count
        ],
    }


def polls_document(found: Polls | None) -> dict[str, object] | None:
    """The steps of a task as ``--json`` shows them."""
    if found is None:
        return None
    return {
        "busy": _round(found.busy),
        "scheduled": _round(found.scheduled),
        "idle": _round(found.idle),
        "poll_times": durations_document(found.steps),
        "scheduling_delays": durations_document(found.delays),
    }


def _document(site: SlowSite) -> dict[str, object]:
    main = site.start or site.end
    return {
        "kind": site.kind,
        "function": site.function,
        "file": main.file if main is not None else None,
        "line": main.line if main is not None else None,
        "task": site.task if site.kind == "step" else None,
        "from": phrases.frame_document(site.start) if site.kind == "step" else None,
        "to": phrases.frame_document(site.end),
        "ended": site.ended,
        **durations_document(site.durations),
        "seen": [
            {**(phrases.frame_document(frame) or {}), "call": call, "times": times}
            for frame, call, times in site.seen
        ],
    }


def _round(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
