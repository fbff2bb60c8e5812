"""Failed logins at one server count at the others: in batches, once, and after a restart too."""

import pytest

from restante.request_limits.failed_logins import FailureLedger
from restante.server.failure_exchange import FailureExchange
from restante.store.database_access import DatabaseAccess
from restante.store.failure_store import FailureChange
from restante.store.postgres import PostgresStore, open_postgres
from restante.telemetry.event_bus import EventBus
from tests.contract_shared.conftest import second


def change(
    failures: int = 1, digest: bytes = b"x" * 12, *, was_forgotten: bool = False
) -> FailureChange:
    return FailureChange("login", digest, failures, was_forgotten)


class Server:
    """The ledger of one server, with its exchange."""

    def __init__(self, store: PostgresStore) -> None:
        self.now = 100.0
        self.exchange = FailureExchange(store.failures, lambda: self.now, EventBus())
        self.ledger = self.exchange.share("login", FailureLedger(5, 900.0))


async def test_each_server_knows_how_many_there_are(
    one: PostgresStore, other: PostgresStore
) -> None:
    await second(one, other)
    assert (one.nodes.servers, other.nodes.servers) == (2, 2)
    await other.close()
    await second(one)
    assert one.nodes.servers == 1


async def test_news_is_taken_once_by_each_other_server(
    one: PostgresStore, other: PostgresStore
) -> None:
    await second(one, other)
    given = [change(3), change(0, b"y" * 12, was_forgotten=True)]
    await one.failures.tell(given)
    assert [item.change for item in await other.failures.recent()] == given
    assert await other.failures.recent() == []
    assert await one.failures.recent() == []
    await one.failures.tell([change(-1)])
    [(age, again)] = await other.failures.recent()
    assert again == change(-1)
    assert 0 <= age < 5


async def test_a_server_that_is_alone_writes_nothing(one: PostgresStore) -> None:
    await second(one)
    await one.failures.tell([change()])
    assert await one.core.fetch("SELECT 1 FROM failed_login") == []


async def test_a_restarted_server_reads_what_it_has_told_itself(
    one: PostgresStore, other: PostgresStore, postgres_url: str, access: DatabaseAccess
) -> None:
    await second(one, other)
    await other.failures.tell([change(4)])
    await other.close()
    again = await open_postgres(postgres_url, access)
    assert [item.change for item in await again.failures.recent()] == [change(4)]
    await again.close()


async def test_a_guesser_gets_no_more_tries_from_two_servers(
    one: PostgresStore, other: PostgresStore
) -> None:
    await second(one, other)
    here, there = Server(one), Server(other)
    tries = 0
    while tries < 50:
        for server in (here, there):
            if not server.ledger.is_refused(["alice"], server.now):
                server.ledger.failed(["alice"], server.now)
                tries += 1
            await here.exchange.take_round()
            await there.exchange.take_round()
        if all(server.ledger.is_refused(["alice"], server.now) for server in (here, there)):
            break
    assert tries == 5


async def test_a_success_at_one_server_is_one_at_the_other(
    one: PostgresStore, other: PostgresStore
) -> None:
    await second(one, other)
    here, there = Server(one), Server(other)
    for _ in range(4):
        here.ledger.failed(["alice"], here.now)
    await here.exchange.take_round()
    await there.exchange.take_round()
    assert there.ledger.failures("alice", there.now) == 4
    there.ledger.succeeded(["alice"])
    await there.exchange.take_round()
    await here.exchange.take_round()
    assert here.ledger.failures("alice", here.now) == 0


async def test_a_thousand_failures_are_one_write(one: PostgresStore, other: PostgresStore) -> None:
    await second(one, other)
    here = Server(one)
    for number in range(1000):
        here.ledger.failed([number], here.now)
    await here.exchange.take_round()
    [(rows,)] = await one.core.fetch("SELECT count(*) FROM failed_login")
    assert rows == 1
    assert len(await other.failures.recent()) == 1000


@pytest.mark.parametrize("seconds", [1000, 100])
async def test_old_changes_are_not_told(
    one: PostgresStore, other: PostgresStore, seconds: int
) -> None:
    await second(one, other)
    await one.failures.tell([change()])
    await one.core.fetch(
        "UPDATE failed_login SET told_at = told_at - make_interval(secs => $1) RETURNING 1",
        float(seconds),
    )
    assert len(await other.failures.recent()) == (1 if seconds < 900 else 0)
