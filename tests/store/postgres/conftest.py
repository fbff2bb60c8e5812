"""Fixtures of the tests of the store on PostgreSQL."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from restante.store.postgres import PostgresStore, open_postgres
from tests.contract.conftest import postgres_template, postgres_url
from tests.contract.running import loop_kind, pytest_pyfunc_call, runner
from tests.postgres_cluster import ALONE, PostgresCluster, PostgresStandby

__all__ = ["loop_kind", "postgres_template", "postgres_url", "pytest_pyfunc_call", "runner"]


@pytest.fixture
def store(postgres_url: str, runner: asyncio.Runner) -> Iterator[PostgresStore]:
    """An empty store."""
    store = runner.run(open_postgres(postgres_url, ALONE))
    yield store
    runner.run(store.close())


@pytest.fixture
def other(
    postgres_url: str, store: PostgresStore, runner: asyncio.Runner
) -> Iterator[PostgresStore]:
    """The same store, opened by another process."""
    other = runner.run(open_postgres(postgres_url, ALONE))
    yield other
    runner.run(other.close())


@dataclass(frozen=True, slots=True)
class PostgresPair:
    """A primary whose commits wait for its standby."""

    primary: PostgresCluster
    standby: PostgresStandby


@pytest.fixture(scope="session")
def postgres_pair() -> Iterator[PostgresPair]:
    """A primary that is synced to its disk, and its synchronous standby."""
    primary = PostgresCluster(fsync="on", full_page_writes="on")
    standby = PostgresStandby(primary, "standby1")
    yield PostgresPair(primary, standby)
    standby.stop()
    primary.stop()
