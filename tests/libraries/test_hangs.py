"""Reported hangs, with the real libraries: what the console says of each.

With UPDATE_REAL_HANGS set the page of the documentation is made anew.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.children import connect
from tests.flows.test_programs import running
from tests.libraries.hangs import page
from tests.libraries.seen import installed

HANGS = Path(__file__).parent / "hangs"
OLD_ANYIO = ("anyio==3.3.4", "sniffio==1.3.1", "idna==3.10")

POOLS = {
    "asyncpg_nested": (("request:0", "request:1"), ("request:2",), "asyncpg.Pool"),
    "sqlalchemy_nested": (("handler:0", "handler:1"), (), "sqlalchemy.AsyncAdaptedQueuePool"),
    "aiohttp_nested": (("crawl",), (), "aiohttp.TCPConnector"),
    "redis_nested": (("checkout",), (), "redis.BlockingConnectionPool"),
    "httpx_nested": (("download",), (), "httpcore.AsyncConnectionPool"),
}
NEEDS = {"asyncpg_nested": ("postgres_url",), "sqlalchemy_nested": ("postgres_url",)}
NEEDS["redis_nested"] = ("redis_port",)


@pytest.fixture(scope="session")
def old_anyio(tmp_path_factory):
    """A folder with anyio as it was before its issue 398 was mended."""
    folder = tmp_path_factory.mktemp("old") / "site-packages"
    command = (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder)
    done = subprocess.run([*command, *OLD_ANYIO], capture_output=True, check=False, timeout=120)
    if done.returncode:
        pytest.skip("anyio 3.3.4 can't be installed here")
    return str(folder)


def asked(name, valid, *arguments):
    """The findings of a program, once its verdict has been compared with the page."""
    with running(sys.executable, HANGS / f"{name}.py", *arguments) as port:
        found = connect(port, "deadlocks", options=("--json", "--timeout", "60"), timeout=90)
        prose = connect(port, "deadlocks", options=("--timeout", "60"), timeout=90)
    assert found.returncode == prose.returncode == 0, found.stderr + prose.stderr
    if os.environ.get("UPDATE_REAL_HANGS"):
        page.write(name, prose.stdout)
    assert page.plain(prose.stdout) == page.plain(page.quotations()[name])
    return valid(json.loads(found.stdout))["findings"]


def roles(finding, role):
    return tuple(task["name"] for task in finding["tasks"] if task["role"] == role)


@pytest.mark.parametrize("name", POOLS)
def test_a_pool_that_is_exhausted_by_those_who_want_more(name, request, valid):
    for module in (name.partition("_")[0], "asyncpg" if "sql" in name else "asyncio"):
        if not installed(module):
            pytest.skip(f"{module} is not installed")
    arguments = [request.getfixturevalue(fixture) for fixture in NEEDS.get(name, ())]
    (finding,) = asked(name, valid, *arguments)
    stuck, victims, pool = POOLS[name]
    assert (finding["kind"], finding["verdict"]) == ("pool_exhaustion", "suspect")
    assert not finding["proven"]
    assert (roles(finding, "stuck"), roles(finding, "victim")) == (stuck, victims)
    assert [item["type"] for item in finding["resources"]] == [pool]


def test_the_result_of_a_coroutine_on_its_own_loop(valid):
    (finding,) = asked("threadsafe_result", valid)
    assert (finding["kind"], finding["verdict"]) == ("threadsafe_result_on_loop", "deadlock")
    assert finding["proven"]
    assert "subscriber" in roles(finding, "culprit") + roles(finding, "stuck")


def test_a_lock_that_was_left_behind(old_anyio, valid):
    (finding,) = asked("anyio_abandoned", valid, old_anyio)
    assert (finding["kind"], finding["verdict"]) == ("abandoned_lock", "suspect")
    assert roles(finding, "stuck") == ("stop:db", "stop:mail")
    assert roles(finding, "cause") == ("stop:cache",)
    assert [item["type"] for item in finding["resources"]] == ["anyio.Lock"]


def test_the_page_quotes_each_program():
    programs = {path.stem for path in HANGS.glob("*.py")} - {"__init__", "stage", "page"}
    assert programs == set(page.quotations())
