"""Two stores on one database: those of two servers."""

import asyncio
from collections.abc import Iterator

import pytest

from restante.store.database_access import DatabaseAccess
from restante.store.postgres import PostgresStore, open_postgres
from tests.contract.conftest import postgres_template, postgres_url
from tests.contract.running import loop_kind, pytest_pyfunc_call, runner
from tests.postgres_cluster import ALONE, PLAIN

__all__ = ["loop_kind", "postgres_template", "postgres_url", "pytest_pyfunc_call", "runner"]


@pytest.fixture(params=["all", "plain"])
def access(request: pytest.FixtureRequest) -> DatabaseAccess:
    """How the database is used: by all its means, or by plain SQL."""
    return ALONE if request.param == "all" else PLAIN


@pytest.fixture
def one(
    postgres_url: str, access: DatabaseAccess, runner: asyncio.Runner
) -> Iterator[PostgresStore]:
    """An empty store."""
    store = runner.run(open_postgres(postgres_url, access))
    yield store
    runner.run(store.close())


@pytest.fixture
def other(
    postgres_url: str, access: DatabaseAccess, one: PostgresStore, runner: asyncio.Runner
) -> Iterator[PostgresStore]:
    """The same store, opened by another process."""
    store = runner.run(open_postgres(postgres_url, access))
    yield store
    runner.run(store.close())


async def second(*stores: PostgresStore) -> None:
    """Let a second pass for these stores: each does the work of its next heartbeat, in order."""
    for store in stores:
        timer = store.core.node._timer
        assert timer is not None
        beat = timer._callback  # type: ignore[attr-defined]
        timer.cancel()
        beat()
        await store.core.node.next_beat()
