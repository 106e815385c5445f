"""``loops`` on a narrow terminal."""

from __future__ import annotations

from asyncconsole.commands.loops import _table
from asyncconsole.model import Loop, Snapshot
from asyncconsole.render.text import table


def test_loops_fit_eighty_columns():
    loop = Loop(
        id=12,
        type="asyncio.unix_events._UnixSelectorEventLoop",
        thread="MainThread",
        thread_id=1,
        running=True,
        closed=False,
        debug=False,
        task=None,
        tasks=1000,
        ready=1000,
        timers=1000,
        blocked=1234.5,
        lag=1234.5,
        lag_p50=0.001,
        lag_p99=0.123,
    )
    snapshot = Snapshot(
        pid=1,
        program="x.py",
        python="3.12",
        taken_at="",
        uptime=1.0,
        took=0.0,
        loops=(loop,),
        tasks=(),
        total=0,
        resources=(),
        gaps=(),
    )
    lines = table(_table(snapshot), 80, colour=False)
    assert all(len(line) < 80 for line in lines), lines
    assert "BLOCKED 1234.5 s" in lines[1]
