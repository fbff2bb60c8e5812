"""Fixtures for every test."""

import gc
import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from hypothesis import settings

from restante.tenancy import passwords
from tests.no_io import WhatIsOpened
from tests.pure_modules import unit_tests

if TYPE_CHECKING:
    from tests.object_server import ObjectServer
    from tests.postgres_cluster import PostgresCluster
    from tests.wire import Wire

# Hashing is slow on purpose. Tests within this process use the same algorithm with the least cost;
# real servers, which are processes of their own, use the real one.
passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

# The same examples in each run, whatever else the machine does. Exploring is for the fuzzers
# (`make fuzz`). `make unit` takes fewer examples, because people wait for it.
settings.register_profile("restante", deadline=None, derandomize=True)
settings.register_profile("unit", deadline=None, derandomize=True, max_examples=10, database=None)
settings.load_profile("unit" if os.environ.get("RESTANTE_UNIT") else "restante")

OPENED = WhatIsOpened()
WITHOUT_IO = frozenset(unit_tests())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail each test of `make unit` that opens a socket or a file, or starts a process."""
    if item.path not in WITHOUT_IO:
        return (yield)
    OPENED.taken()
    with OPENED.watched():
        result = yield
    assert OPENED.taken() == []
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, object, object]:
    """Let each test begin with a garbage collector; `serve` runs without until it has started."""
    result = yield
    gc.enable()
    return result


@pytest.fixture
def smtp() -> "Iterator[Wire]":
    """A session under TLS, past EHLO, in a world of its own."""
    from tests.wire import Wire  # noqa: PLC0415  it needs most of reception

    wire = Wire()
    yield wire
    wire.close()


@pytest.fixture(scope="session")
def object_server() -> "Iterator[ObjectServer]":
    """An object store for all tests of this process, as above."""
    from tests.object_server import ObjectServer  # noqa: PLC0415  few runs need it

    server = ObjectServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_cluster() -> "Iterator[PostgresCluster]":
    """A PostgreSQL server for all tests of this process; it starts when the first asks for it."""
    from tests.postgres_cluster import PostgresCluster  # noqa: PLC0415  few runs need its driver

    cluster = PostgresCluster()
    yield cluster
    cluster.stop()
