"""Fixtures of the tests of the store on PostgreSQL."""

import asyncio
from collections.abc import Iterator

import pytest

from restante.store.postgres import PostgresStore, open_postgres
from tests.contract.conftest import postgres_template, postgres_url
from tests.contract.running import loop_kind, pytest_pyfunc_call, runner

__all__ = ["loop_kind", "postgres_template", "postgres_url", "pytest_pyfunc_call", "runner"]


@pytest.fixture
def store(postgres_url: str, runner: asyncio.Runner) -> Iterator[PostgresStore]:
    """An empty store."""
    store = runner.run(open_postgres(postgres_url))
    yield store
    runner.run(store.close())


@pytest.fixture
def other(
    postgres_url: str, store: PostgresStore, runner: asyncio.Runner
) -> Iterator[PostgresStore]:
    """The same store, opened by another process."""
    other = runner.run(open_postgres(postgres_url))
    yield other
    runner.run(other.close())
