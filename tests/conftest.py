"""Fixtures for every test."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from hypothesis import settings

from restante.tenancy import passwords

if TYPE_CHECKING:
    from tests.postgres_cluster import PostgresCluster

# Hashing is slow on purpose. Tests within this process use the same algorithm with the least cost;
# real servers, which are processes of their own, use the real one.
passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

from tests.wire import Wire  # noqa: E402  it hashes a password when it is imported

# The same examples in each run, whatever else the machine does. Exploring is for the fuzzers
# (`make fuzz`). `make unit` takes fewer examples, because people wait for it.
settings.register_profile("restante", deadline=None, derandomize=True)
settings.register_profile("unit", deadline=None, derandomize=True, max_examples=15)
settings.load_profile("unit" if os.environ.get("RESTANTE_UNIT") else "restante")


@pytest.fixture
def smtp() -> Iterator[Wire]:
    """A session under TLS, past EHLO, in a world of its own."""
    wire = Wire()
    yield wire
    wire.close()


@pytest.fixture(scope="session")
def postgres_cluster() -> "Iterator[PostgresCluster]":
    """A PostgreSQL server for all tests of this process; it starts when the first asks for it."""
    from tests.postgres_cluster import PostgresCluster  # noqa: PLC0415  few runs need its driver

    cluster = PostgresCluster()
    yield cluster
    cluster.stop()
