"""Programs that nest locks, checked inside one process on every interpreter.

``python orders.py KIND NAME`` runs one; it prints nothing but what goes wrong.
No third party, and the syntax of Python 3.10.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import json
import random
import sys
import weakref
from dataclasses import replace

from asyncconsole.capture.program import shared
from asyncconsole.capture.slices import finish
from asyncconsole.diagnose import again, confirm
from asyncconsole.track import cases, circles, order
from asyncconsole.track.tracker import tracker

KIND, NAME = sys.argv[1:3]
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
WAIT_FOR_INLINE = sys.version_info >= (3, 12)

OLD = asyncio.Lock()
OLDER = asyncio.Lock()


def on(**how):
    tracker().configure(locks=False)
    tracker().configure(locks=True, **how)


def inversions():
    tracker().beat()  # what was recorded so far must not make the next one a rush
    return finish(tracker().inversions())


def look():
    return replace(finish(shared().capture()), inversions=inversions())


def findings():
    """What `deadlocks` would say."""
    first = look()
    return confirm(first, look(), partial=again(first) is not None).findings


def only(kind="lock_order_inversion"):
    (finding,) = findings()
    assert finding.kind == kind, finding
    return finding


async def nest(*locks):
    """Take them one in the other."""
    async with contextlib.AsyncExitStack() as stack:
        for lock in locks:
            await stack.enter_async_context(lock)
            await asyncio.sleep(0)


async def one_by_one(*tasks):
    """Tasks of these names, one after the other: they never meet."""
    for number, coro in enumerate(tasks):
        await asyncio.create_task(coro, name=f"t{number}")


async def two():
    """Both orders, both places, both tasks, before anything hangs; and only then."""
    on()
    first, second = asyncio.Lock(), asyncio.Lock()

    async def forth():
        async with first:
            await asyncio.sleep(0)
            async with second:
                pass

    async def back():
        await second.acquire()
        try:
            await first.acquire()
            first.release()
        finally:
            second.release()

    await one_by_one(forth())
    assert findings() == ()
    await one_by_one(forth(), back())
    finding = only()
    assert (finding.verdict, finding.proven) == ("suspect", False)
    assert [task.role for task in finding.tasks] == ["cause", "cause"]
    # One that ends as it starts has got no name before that (3.12).
    names = ["t0", "t1"] if KIND != "eager" else [task.name for task in finding.tasks]
    assert [task.name for task in finding.tasks] == names
    assert len({task.id for task in finding.tasks}) == 2
    (inversion,) = inversions()
    assert inversion.same
    a, b = inversion.orders
    start, other = forth.__code__.co_firstlineno, back.__code__.co_firstlineno
    assert (a.held.line, a.taken.line) == (start + 1, start + 3), a
    assert (b.held.line, b.taken.line) == (other + 1, other + 3), b
    assert (a.first, a.second) == (b.second, b.first)
    assert a.first.resource != a.second.resource
    assert a.first.made.line == two.__code__.co_firstlineno + 3
    assert a.times == 2
    for text in (f"orders.py:{start + 3}", f"orders.py:{other + 3}", *names):
        assert text in finding.summary, finding.summary
        assert any(text in line for line in finding.evidence)
    # With other tasks waiting for good there is a second look at these alone.
    hanging = asyncio.create_task(asyncio.Event().wait())
    await asyncio.sleep(0)
    assert [item.kind for item in findings() if item.kind == "lock_order_inversion"]
    hanging.cancel()


async def consistent():
    """One order everywhere, however deep and in how many tasks."""
    on()
    locks = [asyncio.Lock() for _ in range(4)] + [asyncio.Lock()]
    rounds = itertools.combinations(range(5), 3)
    await asyncio.gather(*(nest(*(locks[i] for i in picked)) for picked in rounds))
    assert tracker().status().orders > 5
    assert findings() == ()


async def one_task():
    """A task can't meet itself: a doubt, and of locks of one kind nothing to tell."""
    on()
    a, b = asyncio.Lock(), asyncio.Lock()

    async def both(a, b):
        await nest(a, b)
        await nest(b, a)

    await one_by_one(both(a, b))
    finding = only()
    assert len(finding.tasks) == 1
    assert "can't meet itself" in finding.assumes
    await one_by_one(both(a, b))
    assert len(only().tasks) == 2
    assert "can't meet itself" not in only().assumes
    on()
    a, b = (asyncio.Lock() for _ in range(2))
    await one_by_one(both(a, b))
    assert findings() == ()
    await one_by_one(both(a, b))
    only()


async def gate():
    """Both orders under one lock never meet; once without it, they do."""
    on()
    door, a, b = asyncio.Lock(), asyncio.Lock(), asyncio.Lock()
    await one_by_one(nest(door, a, b), nest(door, b, a))
    assert findings() == ()
    await one_by_one(nest(b, a))
    only()  # a gate that only one of them passes keeps nobody apart


async def other_gates():
    """Two gates, one for each order, keep nobody apart; nor does one that comes between."""
    on()
    one, two, a, b = asyncio.Lock(), asyncio.Lock(), asyncio.Lock(), asyncio.Lock()
    await one_by_one(nest(one, a, b), nest(two, b, a))
    assert {lock.resource for order_ in inversions()[0].orders for lock in (order_.first,)} == {
        f"L{shared().things.of(lock)}" for lock in (a, b)
    }
    assert len(inversions()) == 1


async def instances():
    """Locks of one place: two of them in both orders, not two pairs in one."""
    on()
    accounts = {name: asyncio.Lock() for name in "abcd"}
    await one_by_one(nest(accounts["a"], accounts["b"]), nest(accounts["b"], accounts["c"]))
    assert findings() == ()
    await one_by_one(nest(accounts["c"], accounts["d"]), nest(accounts["a"], accounts["d"]))
    assert findings() == ()
    await one_by_one(nest(accounts["b"], accounts["a"]))
    (inversion,) = inversions()
    assert {item.first.resource for item in inversion.orders} == {
        f"L{shared().things.of(accounts[name])}" for name in "ab"
    }
    assert only().kind


async def classes():
    """Other locks of the same two places: an inversion, and it says that they are others."""
    on()

    def make():
        return asyncio.Lock(), asyncio.Lock()

    pairs = [make(), make()]
    await one_by_one(nest(*pairs[0]), nest(*reversed(pairs[1])))
    (inversion,) = inversions()
    assert not inversion.same
    finding = only()
    assert "created at the same places" in finding.evidence[-1], finding.evidence


async def three():
    """A circle of three classes, and of three forks."""
    on()
    a, b, c = asyncio.Lock(), asyncio.Lock(), asyncio.Lock()
    await one_by_one(nest(a, b), nest(b, c))
    assert findings() == ()
    await one_by_one(nest(c, a))
    (inversion,) = inversions()
    assert len(inversion.orders) == 3
    assert len(only().tasks) == 3
    on()
    forks = [asyncio.Lock() for _ in range(9)]
    await one_by_one(*(nest(forks[i], forks[(i + 1) % 9]) for i in range(8)))
    assert findings() == ()
    await one_by_one(nest(forks[8], forks[0]))
    assert len(inversions()[0].orders) == 9
    # By the same two tasks, who can't hold three of them at once.
    on()
    a, b, c = asyncio.Lock(), asyncio.Lock(), asyncio.Lock()

    async def twice():
        await nest(a, b)
        await nest(b, c)

    await one_by_one(twice(), nest(c, a))
    assert inversions()[0].alone


async def they_die():
    """Nothing keeps locks and tasks alive; what can't come again is forgotten."""
    on()
    locks = [asyncio.Lock() for _ in range(2)]
    await one_by_one(nest(*locks), nest(*reversed(locks)))
    assert len(inversions()) == 1
    gone = [weakref.ref(lock) for lock in locks]
    tasks = weakref.WeakSet()
    task = asyncio.create_task(nest(*locks))
    tasks.add(task)
    await task
    del locks, task
    await asyncio.sleep(0)
    gc.collect()
    assert [lock() for lock in gone] == [None, None]
    assert not tasks
    assert inversions() == ()  # these two are gone, and no other two have met
    # Of two places more locks come.
    for _ in range(2):
        a, b = asyncio.Lock(), asyncio.Lock()
        await one_by_one(nest(a, b), nest(b, a))
    del a, b
    gc.collect()
    (inversion,) = inversions()
    assert inversion.orders[0].first.resource is None
    assert inversion.orders[0].first.name
    only()
    # A task that ends with a lock in its hands, and one that is never heard of again.
    lost = asyncio.Lock()

    async def keeps():
        await lost.acquire()

    await one_by_one(keeps())
    await asyncio.sleep(0)  # the callback that woke this task has it until then
    gc.collect()
    assert not [mine for mine in tracker()._locks.orders._mine.values() if mine.held and mine()]


async def nothing_leads_through_it():
    """A frozen copy must not take the table for somebody who can get at a lock."""
    on()
    a, b = asyncio.Lock(), asyncio.Lock()
    async with a, b:
        assert a._asyncconsole_owner
        assert b._asyncconsole_owner
        assert [
            type(ref) for ref in weakref.getweakrefs(b) if not isinstance(ref, cases.Aside)
        ] == []
        seen, todo = set(), [b]
        while todo:
            thing = todo.pop()
            if id(thing) in seen or isinstance(thing, (type, type(sys), asyncio.AbstractEventLoop)):
                continue
            seen.add(id(thing))
            assert not isinstance(thing, order.OrderBook)
            todo += [item for item in gc.get_referents(thing) if item is not vars(order)]
        assert id(a) not in seen


async def late():
    """Locks from before are classes of their own."""
    on()
    await one_by_one(nest(OLD, OLDER), nest(OLDER, OLD))
    (inversion,) = inversions()
    assert {item.first.name for item in inversion.orders} == {"OLD", "OLDER"}
    assert inversion.orders[0].first.made is None
    made = [asyncio.Lock() for _ in range(3)]
    on()
    await one_by_one(nest(made[0], OLD), nest(made[1], OLD), nest(OLD, made[2]))
    assert inversions()  # these are of one place
    tracker().configure(locks=False)
    made = [asyncio.Lock() for _ in range(3)]
    on()
    await one_by_one(nest(made[0], OLD), nest(made[1], OLD), nest(OLD, made[2]))
    assert inversions() == ()
    await one_by_one(nest(made[2], OLD))
    assert inversions()


async def kinds_of_locks():
    """A Condition by its lock, a semaphore of one; not one of more, nor a signal."""
    on()
    condition, lock = asyncio.Condition(), asyncio.Lock()
    await one_by_one(nest(condition, lock), nest(lock, condition))
    (inversion,) = inversions()
    assert inversion.orders[0].first.made.function.endswith("kinds_of_locks")
    for make, found in (
        (lambda: asyncio.Semaphore(1), 1),
        (lambda: asyncio.BoundedSemaphore(1), 1),
        (lambda: asyncio.Semaphore(2), 0),
        (lambda: asyncio.BoundedSemaphore(2), 0),
    ):
        on()
        gate, lock = make(), asyncio.Lock()
        await one_by_one(nest(gate, lock), nest(lock, gate))
        assert len(inversions()) == found, make().__class__

    class Mine(asyncio.Lock):
        def __init__(self):
            super().__init__()
            self.more = 1

    on()
    mine, lock = Mine(), asyncio.Lock()
    await one_by_one(nest(mine, lock), nest(lock, mine))
    (inversion,) = inversions()
    assert {item.first.type for item in inversion.orders} == {"Mine", "Lock"}
    assert inversion.orders[0].first.made.function.endswith("kinds_of_locks")
    # Taken by one task and given back by another: a signal.
    on()
    signal, lock = asyncio.Lock(), asyncio.Lock()
    taken, go = asyncio.Event(), asyncio.Event()

    async def waits():
        await signal.acquire()
        taken.set()
        async with lock:
            await go.wait()

    async def gives():
        await taken.wait()
        signal.release()
        go.set()

    await asyncio.gather(waits(), gives())
    await one_by_one(nest(lock, signal))
    assert findings() == ()


async def timeouts():
    """Who gives up by itself hangs nobody for ever; nor who asks first."""
    on()
    a, b = asyncio.Lock(), asyncio.Lock()

    async def limited():
        async with a:
            await asyncio.wait_for(b.acquire(), 10)
            b.release()

    async def asks():
        async with a:
            if not b.locked():
                await b.acquire()
                b.release()

    await one_by_one(nest(b, a), limited(), asks())
    if sys.version_info >= (3, 11):

        async def around():
            async with asyncio.timeout(10):
                await nest(a, b)

        async def inside():
            async with a, asyncio.timeout(10):
                await nest(b)

        await one_by_one(around(), inside())
    assert findings() == ()
    assert tracker().status().orders > 1
    await one_by_one(nest(a, b))
    only()


async def it_hangs():
    """The deadlock itself is told once, as what it is."""
    on()
    a, b = asyncio.Lock(), asyncio.Lock()

    async def take(first, second):
        async with first:
            await asyncio.sleep(0)
            async with second:
                pass

    tasks = [asyncio.create_task(take(a, b)), asyncio.create_task(take(b, a))]
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(inversions()) == 1
    only("lock_cycle")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # Others of the same places hang: the same mistake.
    accounts = [asyncio.Lock() for _ in range(4)]
    await one_by_one(take(*accounts[:2]), take(*accounts[1::-1]))
    tasks = [asyncio.create_task(take(*accounts[2:])), asyncio.create_task(take(*accounts[:1:-1]))]
    for _ in range(5):
        await asyncio.sleep(0)
    assert [item.kind for item in findings()] == ["lock_cycle"]
    for task in tasks:
        task.cancel()


async def bounded():
    """Tables are bounded and count; a rush is looked at by samples."""
    order.MOST_ORDERS = 10
    on()
    locks = [asyncio.Lock() for _ in range(8)]
    await one_by_one(*(nest(a, b) for a, b in itertools.combinations(locks, 2)))
    status = tracker().status()
    assert (status.orders, status.unordered) == (10, 18), status
    del locks
    gc.collect()
    tracker()._locks.orders._swept = 0.0
    locks = [asyncio.Lock() for _ in range(2)]
    await one_by_one(nest(*locks))
    assert tracker().status().orders == 1
    # Many tasks, many gates: the fewest gates are kept.
    on()
    a, b, door = asyncio.Lock(), asyncio.Lock(), asyncio.Lock()
    for _ in range(2 * cases.MOST_CASES):
        await one_by_one(nest(door, a, b))
        tracker().beat()
    await one_by_one(nest(door, b, a))
    assert findings() == ()
    await one_by_one(nest(a, b))
    only()
    # A rush.
    on()
    a, b = asyncio.Lock(), asyncio.Lock()
    for _ in range(order.FIRST):
        async with a:
            pass
    await one_by_one(nest(a, b), nest(b, a))
    assert inversions() == ()
    await one_by_one(nest(a, b), nest(b, a))  # `inversions` is a beat here
    assert len(inversions()) == 1
    assert circles.MOST < 100


async def off_and_on():
    """Everything comes off in any order, with locks in hand, and begins anew."""
    stock = asyncio.Lock.__init__, asyncio.Semaphore.__init__
    on()
    a, b = asyncio.Lock(), asyncio.Lock()
    before = asyncio.Lock.__init__

    def above(self, *args, **keywords):
        before(self, *args, **keywords)

    asyncio.Lock.__init__ = above
    async with a:
        tracker().configure(locks=False)
        async with b:
            asyncio.Lock()  # ours is below somebody's, and does nothing
            assert not hasattr(asyncio.Lock(), "_asyncconsole_made")
    asyncio.Lock.__init__ = stock[0]
    assert (asyncio.Lock.__init__, asyncio.Semaphore.__init__) == stock
    async with b:
        on()
        async with a:
            pass
    await one_by_one(nest(a, b))
    assert inversions() == ()  # that b was held is not known
    assert tracker().status().orders == 1
    async with a:
        on()
    await one_by_one(nest(b, a))
    assert inversions() == ()
    tracker().configure(locks=False)
    assert inversions() == ()
    # The methods of a tracked lock are still known for the standard library's.
    on()
    (item,) = [item for item in await held(a) if item.type == "Lock"]
    assert item.sound


async def held(lock):
    async def work():
        async with lock:
            await asyncio.sleep(30)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    found = finish(shared().capture()).resources
    task.cancel()
    return found


async def random_programs():
    """Against what the programs themselves write down."""
    for seed in range(SEED, SEED + 40):
        await one_random(random.Random(seed), seed)


async def one_random(rng, seed):
    on()

    def make(site):
        match site:
            case 0:
                return asyncio.Lock()
            case 1:
                return asyncio.Lock()
        return asyncio.Lock()

    locks = [(site, make(site)) for site in rng.choices(range(3), k=rng.randint(2, 5))]
    seen = []  # who, what was held, what was taken

    async def task(name, picks):
        async with contextlib.AsyncExitStack() as stack:
            have = []
            for pick in picks:
                if have:
                    seen.append((name, tuple(have), pick))
                if rng.random() < 0.5:
                    await stack.enter_async_context(locks[pick][1])
                else:
                    await locks[pick][1].acquire()
                    stack.callback(locks[pick][1].release)
                have.append(pick)

    for name in range(rng.randint(2, 5)):
        picks = rng.sample(range(len(locks)), rng.randint(1, min(3, len(locks))))
        await asyncio.create_task(task(name, picks), name=str(name))
        tracker().beat()
    truth = any(meets(seen, locks)) or any(meets(seen, locks, alone=True))
    assert bool(inversions()) == truth, (seed, seen, locks, inversions())


def meets(seen, locks, *, alone=False):
    """Circles of orders that different tasks can be half-way in, none with another's lock.

    With ``alone`` one task may do several of them, but with the very same locks of different
    classes.
    """

    def node(lock, other):
        site = locks[lock][0]
        return lock if site == locks[other][0] else f"site {site}"

    steps = [
        (node(held, taken), node(taken, held), name, frozenset(have), held, taken)
        for name, have, taken in seen
        for held in have
        if not alone or locks[held][0] != locks[taken][0]
    ]

    def extend(path):
        if path[0][0] == path[-1][1]:
            yield not alone or path[0][4] == path[-1][5]
            return
        for step in steps:
            if (
                step[0] == path[-1][1]
                and step[0] not in {other[0] for other in path}
                and all((alone or step[2] != other[2]) and not step[3] & other[3] for other in path)
                and (not alone or step[4] == path[-1][5])
            ):
                yield from extend([*path, step])

    for step in steps:
        yield from extend([step])


def main():
    if KIND == "uvloop":
        import uvloop

        loop = uvloop.new_event_loop()
    else:
        loop = asyncio.new_event_loop()
        if KIND == "eager":
            loop.set_task_factory(asyncio.eager_task_factory)
    asyncio.set_event_loop(loop)
    shared().loops.note(loop)
    try:
        loop.run_until_complete(globals()[NAME]())
    finally:
        tracker().close()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    json.dump("done", sys.stdout)


if __name__ == "__main__":
    main()
