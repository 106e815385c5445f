"""Timing every callback of asyncio's own loops, on request.

While it is on, `asyncio.Handle._run`, which runs each callback and each step of a task, and
``BaseEventLoop._call_soon``, which makes them ready, are patched. uvloop's are C: its callbacks
are not timed.

The times are of the clock on the wall: what waits for the GIL, or for a CPU, takes long, too.
"""

from __future__ import annotations

import contextlib
import logging
import time
import weakref
from asyncio import base_events as _base
from asyncio import events as _events
from collections.abc import Callable
from types import BuiltinMethodType, CoroutineType, MethodType
from typing import Any

from asyncconsole.capture import futures
from asyncconsole.capture.loops import LoopBook
from asyncconsole.capture.objects import method_code
from asyncconsole.capture.records import Site
from asyncconsole.model.callbacks import BUCKETS, Durations, Polls, SlowAccount
from asyncconsole.model.instant import stamp
from asyncconsole.stall.account import NANO, Account
from asyncconsole.stall.place import running, stepper_type, steps, unstarted
from asyncconsole.track.patch import Patch, stock

log = logging.getLogger("asyncconsole")

SLOW = 0.01
"""Seconds from which a callback is slow, when not told otherwise."""

MOST_TASKS = 20_000
"""Tasks that are timed, each with its own histograms (about 1 kB)."""

PAUSE = 0.05
"""Seconds between two looks at where slow callbacks are."""

SHARP = 2_000_000
"""Nanoseconds after which a look is given up: the thread may have gone on meanwhile."""

LATE = 1_000_000
"""Nanoseconds from which a timer is late: what it wakes was ready since it was due."""

_CLOCK = time.perf_counter_ns
_LOOP_TIME = _base.BaseEventLoop.time.__code__
_COMPARABLE = (
    time.get_clock_info("monotonic").implementation
    == time.get_clock_info("perf_counter").implementation
)
_DELAYS = BUCKETS
_LAST = BUCKETS - 1


class Meter(weakref.ref):  # type: ignore[type-arg]  # weakref.ref can't be subscripted as a base
    """The weak reference to a task that knows how long its steps take, in nanoseconds.

    Attributes:
        key: ``id()`` of the task.
        code: ``id()`` of its coroutine's code.
        site: Where its coroutine was suspended before the step; True before the first one, None
            when not looked at.
        since: When it was first met.
        ready: Since when it is ready to run, or 0.
        began: When the step began that it is in, or 0.
        busy: In all steps.
        longest: The longest step.
        delayed: Ready and not run, all together.
        latest: The longest of these.
        counts: Of steps, then of delays; see `Durations`.
    """

    __slots__ = (
        "began",
        "busy",
        "code",
        "counts",
        "delayed",
        "key",
        "latest",
        "longest",
        "ready",
        "since",
        "site",
    )
    key: int
    code: int
    site: Site | bool | None
    since: int
    ready: int
    began: int
    busy: int
    longest: int
    delayed: int
    latest: int
    counts: list[int]


class PollHook:
    """Times callbacks while it is on.

    Args:
        book: The loops; those that it ignores are not timed.
    """

    def __init__(self, book: LoopBook) -> None:
        self._book = book
        self.on = False
        self.slow = SLOW
        self.broken = ""
        self._forget()
        self._began = self._ended = 0.0
        self._patches: list[Patch] = []
        self._stop: Callable[[], None] | None = None

    def switch_on(self, slow: float | None = None) -> None:
        """Begin anew; what was counted before is forgotten.

        Args:
            slow: Seconds from which a callback is slow; None for as before.
        """
        self.switch_off()
        self.slow = self.slow if slow is None else slow
        self.broken = ""
        self._forget()
        self._began, self._ended = time.time(), 0.0
        self._patch(int(self.slow / NANO))
        self.on = True
        _active.add(self)

    def switch_off(self) -> None:
        """Take everything off; what somebody has put above ours runs through it to theirs."""
        if self._stop is not None:
            self._stop()
            self._stop = None
        for patch in reversed(self._patches):
            patch.off()
        self._patches.clear()
        if self.on:
            self.on = False
            self._ended = time.time()
        self._meters.clear()
        _active.discard(self)

    def clear(self) -> None:
        """Off, and forget everything."""
        self.switch_off()
        self._forget()
        self._began = self._ended = 0.0

    def _forget(self) -> None:
        """Begin with nothing."""
        self._meters: dict[int, Meter] = {}
        meters = self._meters

        def drop(meter: Meter) -> None:
            meters.pop(meter.key, None)

        self._drop = drop
        self._last: Any = weakref.ref(drop)  # no loop at first
        self._account = Account()
        self._untimed = 0

    def look(self) -> None:
        """Note where the threads of busy loops are. Runs in the side thread."""
        try:
            for fact in self._book.find():
                if not fact.running or fact.idle or fact.thread is None:
                    continue
                when = _CLOCK()
                site = running(fact.thread, self._book.door(fact.number))
                if site is not None and _CLOCK() - when < SHARP:
                    self._account.see(fact.thread, when, site)
        except Exception as error:
            self._fail(error)

    def told(self) -> SlowAccount:
        """What was slow."""
        sites, other = self._account.told()
        return SlowAccount(
            on=self.on,
            slow=self.slow,
            since=stamp(self._began) if self._began else "",
            seconds=max(0.0, (self._ended or time.time()) - self._began) if self._began else 0.0,
            sites=sites,
            other=other,
            unmeasured=unmeasured(self._book),
            untimed=self._untimed,
            broken=self.broken,
        )

    def polls(self, task: Any) -> Polls | None:
        """The steps of a live task; None when it is not timed."""
        meter = self._meters.get(id(task))
        if meter is None or meter() is not task:
            return None
        now = _CLOCK()
        counts, ready, began = list(meter.counts), meter.ready, meter.began
        busy = meter.busy + (max(0, now - began) if began else 0)
        scheduled = meter.delayed + (max(0, now - ready) if ready and not began else 0)
        return Polls(
            busy=busy * NANO,
            scheduled=scheduled * NANO,
            idle=max(0, now - meter.since - busy - scheduled) * NANO,
            steps=Durations(meter.busy * NANO, meter.longest * NANO, tuple(counts[:_DELAYS])),
            delays=Durations(meter.delayed * NANO, meter.latest * NANO, tuple(counts[_DELAYS:])),
        )

    def _fail(self, error: BaseException) -> None:
        """It raised: never again, and the program goes on."""
        if not self.broken:
            self.broken = f"{type(error).__name__}: {error}"[:200]
            if self._stop is not None:
                self._stop()
            log.error("timing callbacks failed and is off: %s", self.broken)

    def _met(self, task: Any, loop: Any) -> Meter | None:
        """A meter for a task that is met for the first time; None for none."""
        if not issubclass(type(task), futures.TASKS):
            return None
        if self._last() is not loop:  # mostly one loop has many tasks
            if self._book.ignores(loop):
                return None
            self._last = weakref.ref(loop)
        coroutine = futures.coroutine(task)
        new = unstarted(coroutine)
        if len(self._meters) >= MOST_TASKS:
            self._untimed += new
            return None
        meter = Meter(task, self._drop)
        meter.key = id(task)
        meter.code = id(coroutine.cr_code) if type(coroutine) is CoroutineType else 0
        meter.site = new or None
        meter.since = _CLOCK()
        meter.ready = meter.began = meter.busy = meter.longest = meter.delayed = meter.latest = 0
        meter.counts = [0] * (2 * BUCKETS)
        self._meters[meter.key] = meter
        return meter

    def _was_slow(self, handle: Any, callback: Any, meter: Meter | None, times: Any) -> None:
        """A callback of any loop was slow."""
        if self._book.ignores(handle._loop):  # noqa: SLF001 - no public way
            return
        task = meter() if meter is not None and steps(callback) else None
        if task is not None and meter is not None:
            self._account.step(task, meter.site, *times)
        else:
            self._account.callback(callback, *times)

    def _patch(self, slow: int) -> None:  # noqa: C901, PLR0915 - see below
        """Put our functions in place. Every nanosecond counts in them, and so does every call."""
        handle_class: Any = _events.Handle
        loop_class: Any = _base.BaseEventLoop
        run_before = handle_class._run  # noqa: SLF001 - what runs callbacks
        soon_before = loop_class._call_soon  # noqa: SLF001 - what makes them ready
        inline = stock(loop_class, "_call_soon")
        find, met, clock = self._meters.get, self._met, _CLOCK
        suspects, look = self._account.suspects, self._account.look
        timer: Any = _events.TimerHandle
        wakeup, stepper = BuiltinMethodType, stepper_type()  # what C tasks go on by
        method, python = MethodType, futures.PyTask  # and those in Python
        due: dict[int, int] = {}
        on = True

        def stop() -> None:
            nonlocal on
            on = False

        def _run(self: Any) -> None:  # noqa: C901, PLR0912, PLR0915 - see above
            if not on:
                run_before(self)
                return
            late = 0
            meter = None
            try:
                callback = self._callback
                kind = type(callback)
                if (
                    kind is wakeup
                    or kind is stepper
                    or (kind is method and issubclass(type(callback.__self__), python))
                ):
                    owner = callback.__self__
                    meter = find(id(owner)) or met(owner, self._loop)
                if meter is not None:
                    if suspects and meter.code in suspects:
                        meter.site = meter.site or look(meter.code, owner)
                    meter.began = began = clock()
                    ready = meter.ready
                    if ready:
                        meter.ready = 0
                        delay = began - ready
                        meter.delayed += delay
                        if delay > meter.latest:  # noqa: PLR1730 - max() is a call
                            meter.latest = delay
                        at = (delay >> 10).bit_length()
                        meter.counts[_DELAYS + at if at < _LAST else _DELAYS + _LAST] += 1
                else:
                    began = clock()
                    if type(self) is timer and began - self._when * 1e9 > LATE:
                        late = due_since(self)
            except Exception as error:
                hook._fail(error)
                run_before(self)
                return
            if late:
                due[id(self._loop)] = late
                try:
                    run_before(self)
                finally:
                    due.pop(id(self._loop), None)
            else:
                run_before(self)
            try:
                took = clock() - began
                if meter is not None:
                    meter.began = 0
                    meter.busy += took
                    if took > meter.longest:  # noqa: PLR1730 - as above
                        meter.longest = took
                    at = (took >> 10).bit_length()
                    meter.counts[at if at < _LAST else _LAST] += 1  # noqa: FURB136 - as above
                    if took >= slow:
                        hook._was_slow(self, callback, meter, (began, took))
                    meter.site = None
                elif took >= slow:
                    hook._was_slow(self, callback, None, (began, took))
            except Exception as error:
                hook._fail(error)

        def _call_soon(self: Any, callback: Any, args: Any, context: Any) -> Any:
            if inline:  # the very steps of the method that was there, which is a call less
                handle: Any = _events.Handle(callback, args, self, context)
                self._ready.append(handle)
            else:
                handle = soon_before(self, callback, args, context)
            if handle._source_traceback:  # noqa: SLF001 - as `call_soon` does
                del handle._source_traceback[-1]  # noqa: SLF001 - this frame is not the program's
            if on:
                try:
                    kind = type(callback)
                    if (
                        kind is wakeup
                        or kind is stepper
                        or (kind is method and issubclass(type(callback.__self__), python))
                    ):
                        owner = callback.__self__
                        meter = find(id(owner)) or met(owner, self)
                        if meter is not None:
                            meter.ready = (due and due.get(id(self))) or clock()
                except Exception as error:
                    hook._fail(error)
            return handle

        hook = self
        ours: Any
        for ours, owner in ((_run, handle_class), (_call_soon, loop_class)):
            before = getattr(owner, ours.__name__)
            ours.__qualname__ = before.__qualname__
            ours.__doc__ = before.__doc__
            ours.__wrapped__ = before  # as functools.wraps does
            self._patches.append(Patch(owner, ours.__name__, ours))
        self._stop = stop


def due_since(handle: Any) -> int:
    """When a late timer was due, by our clock; 0 where the loop's own can't be compared."""
    loop = handle._loop  # noqa: SLF001 - no public way
    if not _COMPARABLE or method_code(type(loop), "time") is not _LOOP_TIME:
        return 0
    return int(handle._when / NANO)  # noqa: SLF001 - as above


def unmeasured(book: LoopBook) -> tuple[int, ...]:
    """Numbers of the loops that run callbacks which are not `asyncio.Handle`'s."""
    found = []
    for fact in book.find():
        loop = fact.reference()
        if fact.running and loop is not None and not isinstance(loop, _base.BaseEventLoop):
            found.append(fact.number)
    return tuple(found)


_active: set[PollHook] = set()


def forked() -> None:
    """In a forked child, which has no console: nothing is timed."""
    for hook in list(_active):
        with contextlib.suppress(Exception):
            hook.clear()
