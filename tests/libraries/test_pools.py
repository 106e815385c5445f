"""Connection pools of other libraries: who has a connection, who waits for one."""

from __future__ import annotations

import sys

import pytest

from tests.children import run
from tests.interpreters import present
from tests.libraries.seen import HERE, holders, installed, needs, sources, start, waiters

PYTHON = sys.executable


def lacking(module):
    return pytest.mark.skipif(not installed(module), reason=f"{module} is not installed")


@pytest.fixture(scope="module")
def asyncpg(postgres_url):
    return start(PYTHON, "pool_asyncpg.py", postgres_url)


@pytest.fixture(scope="module")
def sqlalchemy(postgres_url):
    return start(PYTHON, "pool_sqlalchemy.py", postgres_url)


@pytest.fixture(scope="module")
def redis(redis_port):
    return start(PYTHON, "pool_redis.py", redis_port)


@lacking("asyncpg")
def test_asyncpg(asyncpg):
    seen = asyncpg["exhausted"]
    pool = seen.pool()
    assert (pool["type"], pool["name"]) == ("asyncpg.Pool", "POOL")
    assert pool["state"] == "5/5 in use, 3 waiting"
    assert holders(pool) == {"idle": "stack", "slow": "stack", "one_query": "stack", "using": "use"}
    assert pool["unknown"] == 1  # taken by a bare acquire(), and not used right now
    assert waiters(pool)[:2] == ["first", "second"]
    assert {seen.kinds()[name] for name in ("first", "second")} == {"pool"}
    assert 900 < seen.tasks["second"]["deadline"] <= 1000
    assert seen.tasks["first"]["deadline"] is None
    lines = sources("pool_asyncpg.py", pool)
    assert lines["idle"] == "async with POOL.acquire():"
    assert lines["slow"] == "async with self.pool.acquire() as connection:"
    assert "POOL.fetchval" in lines["one_query"]
    assert "connection.fetch" in lines["using"]
    assert (seen.findings, seen.gaps) == ([], [])


@lacking("asyncpg")
def test_tasks_that_want_a_second_connection_are_a_suspect_and_no_deadlock(asyncpg):
    (finding,) = asyncpg["nested"].findings
    assert (finding["kind"], finding["verdict"]) == ("pool_exhaustion", "suspect")
    assert not finding["proven"]
    assert finding["summary"].startswith("all 2 connections of asyncpg.Pool ")
    assert finding["summary"].endswith("are held by a and b, which wait for one more")
    assert holders(asyncpg["nested"].pool()) == {"a": "stack", "b": "stack"}


@lacking("asyncpg")
def test_while_somebody_unknown_has_a_connection_nothing_is_stuck(asyncpg):
    pool = asyncpg["one_lent_out"].pool()
    assert (holders(pool), pool["unknown"]) == ({"a": "stack"}, 1)
    assert asyncpg["one_lent_out"].findings == []


@lacking("asyncpg")
def test_a_connection_that_was_given_back_inside_of_the_block_is_held_by_who_has_it_now(asyncpg):
    seen = asyncpg["given_back_inside"]
    assert seen.tasks["given_back_inside"]["holds"] == []
    pool = seen.pool()
    assert [holder["name"] for holder in pool["holders"]] == ["both", "both"]
    assert pool["name"] == "the second pool"  # although it can't be weakly referenced
    assert pool["unknown"] == 0


@lacking("sqlalchemy")
def test_sqlalchemy(sqlalchemy):
    seen = sqlalchemy["exhausted"]
    pool = seen.pool()
    assert pool["type"] == "sqlalchemy.AsyncAdaptedQueuePool"
    assert pool["name"] == "ENGINE.pool"
    assert pool["state"] == "7/7 in use, 2 waiting"
    assert holders(pool) == {
        "connected": "stack",
        "begun": "stack",
        "session": "stack",
        "maker_begin": "stack",
        "querying": "use",
        "in_session": "use",
    }
    assert pool["unknown"] == 1
    assert waiters(pool) == ["wants", "session_wants"]
    assert {seen.kinds()[name] for name in waiters(pool)} == {"pool"}
    assert 900 < seen.tasks["wants"]["deadline"] <= 1000
    lines = sources("pool_sqlalchemy.py", pool)
    assert lines["begun"] == "async with ENGINE.begin() as connection:"
    assert lines["session"] == "async with SESSION() as mine:"
    assert (seen.findings, seen.gaps) == ([], [])


@lacking("sqlalchemy")
def test_a_session_that_has_committed_has_no_connection(sqlalchemy):
    seen = sqlalchemy["committed"]
    assert seen.tasks["committed"]["holds"] == []
    assert [item for item in seen.resources if item["unknown"] is not None] == []


@lacking("redis")
def test_redis(redis):
    seen = redis["exhausted"]
    pool = seen.pool()
    assert (pool["type"], pool["name"]) == ("redis.BlockingConnectionPool", "POOL")
    assert pool["state"] == "4/4 in use, 2 waiting"
    assert holders(pool) == {"popping": "use", "watching": "stack", "listening": "stack"}
    assert pool["unknown"] == 1
    assert waiters(pool) == ["first", "second"]
    assert {seen.kinds()[name] for name in waiters(pool)} == {"pool"}
    # the condition that the pool is made of is not shown beside it
    assert {item["type"] for item in seen.resources} == {"redis.BlockingConnectionPool", "Event"}
    lines = sources("pool_redis.py", pool)
    assert lines["popping"].startswith("await CLIENT.blpop(")
    assert lines["watching"] == "async with CLIENT.pipeline() as pipe:"
    assert (seen.findings, seen.gaps) == ([], [])


@lacking("aiohttp")
@pytest.mark.parametrize("version", ["3.10", "3.11", "3.14"])
def test_aiohttp(version):
    python = present().get(version)
    if python is None:
        pytest.skip(f"there is no CPython {version} here")
    needs(python, "aiohttp")
    found = start(python, "pool_aiohttp.py")
    seen = found["exhausted"]
    pool = seen.pool()
    assert pool["type"] == "aiohttp.TCPConnector"
    assert pool["state"] == "5/5 in use, 2 waiting"
    assert holders(pool) == {
        "reading": "stack",
        "inside": "stack",
        "requesting": "use",
        "socket": "stack",
    }
    assert pool["unknown"] == 1
    assert waiters(pool) == ["first", "second"]
    assert {seen.kinds()[name] for name in waiters(pool)} == {"pool"}
    # its body is read: the connection has gone back, although the block has not ended
    assert seen.tasks["read_to_the_end"]["holds"] == []
    lines = sources("pool_aiohttp.py", pool)
    assert lines["inside"] == 'async with session.get(url + "/body"):'
    assert lines["requesting"] == 'await session.get(url + "/never")'
    assert (seen.findings, seen.gaps) == ([], [])
    unreadable(found["unknown_version"], "_acquired", ["read_to_the_end", "inside", "first"])


@lacking("httpx")
def test_httpx():
    found = start(PYTHON, "pool_httpx.py")
    seen = found["exhausted"]
    pool = seen.pool()
    assert pool["type"] == "httpcore.AsyncConnectionPool"
    assert pool["name"] == "CLIENT._transport._pool"
    assert pool["state"] == "4/4 in use, 2 waiting"
    assert holders(pool) == {"requesting": "use", "reading": "use", "streaming": "stack"}
    assert pool["unknown"] == 1
    assert waiters(pool) == ["first", "second"]
    assert {seen.kinds()[name] for name in waiters(pool)} == {"pool"}
    lines = sources("pool_httpx.py", pool)
    assert lines["streaming"] == 'async with CLIENT.stream("GET", url + "/body"):'
    assert lines["reading"] == 'await CLIENT.get(url + "/body")'
    assert (seen.findings, seen.gaps) == ([], [])
    unreadable(found["unknown_version"], "_requests", ["requesting", "streaming", "first"])


def unreadable(seen, attribute, names):
    """A version without that attribute: a gap that says so, nobody named, all tasks there."""
    assert any(attribute in gap["why"] for gap in seen.gaps), seen.gaps
    assert set(names) <= set(seen.tasks)
    pools = [item for item in seen.resources if item["state"] == "unreadable"]
    assert [(item["holders"], item["unknown"]) for item in pools] == [([], None)]
    assert seen.findings == []


@lacking("asyncpg")
def test_an_unknown_version_of_asyncpg(asyncpg):
    seen = asyncpg["unknown_version"]
    assert seen.kinds()["first"] == "queue_get"  # what its pool is made of
    assert seen.tasks["idle"]["holds"] == []
    assert (seen.findings, seen.gaps) == ([], [])


@lacking("sqlalchemy")
def test_an_unknown_version_of_sqlalchemy(sqlalchemy):
    seen = sqlalchemy["unknown_version"]
    assert seen.kinds()["wants"] == "queue_get"
    unreadable(seen, "_pool", ["connected", "begun", "wants"])


@lacking("redis")
def test_an_unknown_version_of_redis(redis):
    unreadable(redis["unknown_version"], "_in_use_connections", ["popping", "watching", "first"])


ODD = """
import importlib, sys
for module, name in {odd!r}.items():
    delattr(importlib.import_module(module), name)
import asyncio, asyncconsole
async def main():
    asyncio.create_task(asyncio.sleep(100), name="sleeper")
    await asyncio.sleep(0)
    return await asyncio.get_running_loop().run_in_executor(None, asyncconsole.snapshot)
snapshot = asyncio.run(main())
assert "sleeper" in [task.name for task in snapshot.tasks]
print(sorted(gap.what for gap in snapshot.gaps if not gap.what.startswith("task ")))
"""


def test_libraries_that_have_lost_what_their_files_need():
    odd = {
        "asyncpg.pool": "Pool",
        "aiohttp.connector": "BaseConnector",
        "redis.asyncio.connection": "ConnectionPool",
        "httpcore._async.connection_pool": "AsyncPoolRequest",
    }
    odd = {module: name for module, name in odd.items() if installed(module.partition(".")[0])}
    if not odd:
        pytest.skip("none of these libraries is installed")
    imports = "import aiohttp, asyncpg, redis.asyncio, httpcore\n" if len(odd) == 4 else ""
    done = run(PYTHON, "-c", imports + ODD.format(odd=odd))
    assert done.stdout.strip() == str(sorted(module.partition(".")[0] for module in odd))


ABSENT = """
import asyncio, sys, asyncconsole
async def main():
    waiter = asyncio.create_task(asyncio.sleep(100), name="waiter")
    await asyncio.sleep(0)
    return await asyncio.get_running_loop().run_in_executor(None, asyncconsole.snapshot)
snapshot = asyncio.run(main())
assert "waiter" in [task.name for task in snapshot.tasks]
wanted = {"asyncpg", "aiohttp", "redis", "sqlalchemy", "httpcore", "httpx", "anyio"}
print(sorted(name for name in sys.modules if name.partition(".")[0] in wanted))
inside = "asyncconsole.capture.libraries."
print(sorted(name for name in sys.modules if name.startswith(inside)))
"""


def test_libraries_that_are_not_loaded_cost_nothing():
    done = run(PYTHON, "-c", ABSENT)
    ours = [f"asyncconsole.capture.libraries.{name}" for name in ("library", "shipped")]
    assert done.stdout.splitlines() == ["[]", str(ours)]


def test_each_program_is_used():
    used = "".join(path.read_text() for path in HERE.glob("test_*.py"))
    assert all(path.name in used for path in HERE.glob("p*_*.py"))
