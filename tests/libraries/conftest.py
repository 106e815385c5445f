"""Servers for the tests of this folder, one of each for all of them."""

from __future__ import annotations

import pytest

from tests.libraries import servers


@pytest.fixture(scope="session")
def postgres_url():
    if servers.find_postgres() is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
    with servers.postgres() as url:
        yield url


@pytest.fixture(scope="session")
def redis_port():
    if servers.find_redis() is None:
        pytest.skip("Redis is not installed (Debian: apt install redis-server)")
    with servers.redis() as port:
        yield str(port)
