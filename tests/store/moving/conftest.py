"""Places for the stores of a move."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.running import directory, loop_kind, pytest_pyfunc_call, runner
from tests.postgres_cluster import PostgresCluster
from tests.store.moving.moves import make_rows

__all__ = ["directory", "loop_kind", "pytest_pyfunc_call", "runner"]


@pytest.fixture
def database(postgres_cluster: PostgresCluster, runner: asyncio.Runner) -> Iterator[str]:
    """The URL of a database without a store."""
    name = runner.run(postgres_cluster.create())
    yield postgres_cluster.url(name)
    runner.run(postgres_cluster.drop(name))


@pytest.fixture
def filled(directory: Path, runner: asyncio.Runner) -> str:
    """The URL of a store on SQLite with rows in every table. No server could use them."""
    runner.run(make_rows(directory))
    return f"sqlite://{directory}"


@pytest.fixture
def other(directory: Path) -> str:
    """The URL of a store on SQLite that is not there yet."""
    return f"sqlite://{directory.with_name('other')}"
