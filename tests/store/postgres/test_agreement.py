"""PostgreSQL agrees with memory in any sequence of calls, and after it is reopened or crashes."""

import asyncio
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import precondition, rule

from restante.store.postgres import PostgresStore, open_postgres
from tests.contract.test_store import Agreement
from tests.postgres_cluster import ALONE, PostgresCluster

EXPIRE = "UPDATE node SET expires_at = '-infinity'"


class PostgresAgreement(Agreement):
    """The same calls on both stores; `sqlite` is the one on PostgreSQL here."""

    cluster: ClassVar[PostgresCluster]
    template: ClassVar[str]
    name = ""

    async def opened(self) -> Any:
        self.name = self.name or await self.cluster.create(self.template)
        return await open_postgres(self.cluster.url(self.name), ALONE, on_damage=self.damage)

    @precondition(lambda self: self.memory.figures.usages())
    @rule()
    def crash(self) -> None:
        """The process ends, and its lease."""
        store: Any = self.sqlite
        self.runner.run(break_off(store))
        self.runner.run(self.cluster.execute(EXPIRE, self.name))
        self.sqlite = self.runner.run(self.opened())

    def teardown(self) -> None:
        runner, name = self.runner, self.name
        runner.run(self.sqlite.close())
        runner.run(self.cluster.drop(name))
        super().teardown()


async def break_off(store: PostgresStore) -> None:
    """Abort all sessions of a store, and stop its heartbeat."""
    node = store.core.node
    assert node._timer is not None
    node._timer.cancel()
    for lane in store.core._lanes._lanes.values():
        for session in lane._idle:
            session.abort()


@pytest.fixture(scope="module", autouse=True)
def _server(postgres_cluster: PostgresCluster) -> None:
    """The server of the machines."""
    PostgresAgreement.cluster = postgres_cluster
    PostgresAgreement.template = asyncio.run(template(postgres_cluster))


async def template(cluster: PostgresCluster) -> str:
    """Make a database with an empty store."""
    name = await cluster.create()
    await (await open_postgres(cluster.url(name), ALONE)).close()
    return name


TestAgreement = PostgresAgreement.TestCase
TestAgreement.settings = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
