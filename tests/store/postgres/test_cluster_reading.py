"""A process reads what others have changed, and no more."""

from typing import Any

import pytest

from restante.store.figure_store import DomainUsage
from restante.store.postgres import (
    PostgresStore,
    drain_statements,
    open_postgres,
    usage_queries,
)
from restante.store.postgres.cluster_reading import ClusterReading
from restante.store.store_errors import StoreError
from tests.contract.making import NOTED, account, hold, hosted, opened
from tests.postgres_cluster import ALONE
from tests.store.postgres.test_cluster_node import GIVEN_BACK, OVER, expire

WHOLE = (usage_queries.OF_OTHERS, usage_queries.ACCOUNTS)


class Watched:
    """A store that is read by hand, and its statements."""

    def __init__(self, store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
        timer = store.core.node._timer
        assert timer is not None
        timer.cancel()
        self.store = store
        self.reading = ClusterReading(store.core)
        self.asked: list[tuple[Any, ...]] = []
        fetch = store.core.fetch

        async def noted(statement: str, *values: Any) -> Any:
            self.asked.append((statement, *values))
            return await fetch(statement, *values)

        monkeypatch.setattr(store.core, "fetch", noted)

    async def read(self) -> list[tuple[Any, ...]]:
        """Read what is new; return the questions about figures and domains, without the slot."""
        self.asked.clear()
        await self.reading.read_changes()
        return [
            (asked[0], *(one for one in asked[1:] if isinstance(one, list)))
            for asked in self.asked
            if asked[0] in (*WHOLE, usage_queries.OF_OTHERS_IN, usage_queries.ACCOUNTS_OF)
        ]


@pytest.fixture
def reader(other: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(other, monkeypatch)


@pytest.fixture
def writer(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(store, monkeypatch)


async def test_only_figures_that_were_moved_are_read(writer: Watched, reader: Watched) -> None:
    busy, quiet = await hosted(writer.store), await hosted(writer.store, "quiet.example")
    await hold(writer.store, quiet, 1)
    await writer.read()
    assert [asked for asked, *_ in await reader.read()] == [*WHOLE[::-1]]  # all is new to it
    await hold(writer.store, busy, 2, 3)
    await writer.read()
    assert await reader.read() == [(usage_queries.OF_OTHERS_IN, [busy])]
    assert reader.store.figures.usage(busy).messages == 2
    assert reader.store.figures.usage_of_account("alpha").messages == 3
    await writer.read()
    assert await reader.read() == []


async def test_only_domains_that_were_changed_are_read(writer: Watched, reader: Watched) -> None:
    first = await hosted(writer.store)
    await hold(writer.store, first, 1)
    await writer.read()
    await reader.read()
    second = await hosted(writer.store, "beta.example")
    assert await reader.read() == [(usage_queries.ACCOUNTS_OF, [second])]
    await hold(writer.store, second, 2)
    await writer.read()
    await reader.read()
    assert reader.store.figures.usages().keys() == {first, second}
    await writer.store.queue.delete([2], NOTED)
    await writer.store.records.remove_domain(second, NOTED)
    await writer.read()
    await reader.read()
    assert reader.store.figures.usages().keys() == {first}
    await writer.store.records.put_account(account("gamma"), NOTED)
    assert await reader.read() == []


def drains_read(reader: Watched) -> list[list[int]]:
    """The domains whose drains were read; of all open drains, those that were known."""
    statements = (drain_statements.KNOWN_DRAINS, drain_statements.CHANGED_DRAINS)
    return [values[0] for statement, *values in reader.asked if statement in statements]


async def test_only_drains_that_were_changed_are_read(writer: Watched, reader: Watched) -> None:
    first, second = await hosted(writer.store), await hosted(writer.store, "beta.example")
    kept = await opened(writer.store, first)
    await writer.read()
    await reader.read()
    assert reader.store.handover.open_drains() == [kept]
    brief = await opened(writer.store, second)
    await writer.read()
    await reader.read()
    assert reader.store.handover.open_drains() == [kept, brief]
    assert drains_read(reader) == [[second]]
    await writer.store.handover.close_drain(brief)
    await writer.read()
    await reader.read()
    assert reader.store.handover.open_drains() == [kept]
    assert drains_read(reader) == [[second]]
    await writer.read()
    await reader.read()
    assert drains_read(reader) == []


async def test_drains_of_a_process_that_was_killed_are_read(
    writer: Watched, reader: Watched, postgres_url: str
) -> None:
    """It was killed before the bulletin on them."""
    domain_id = await hosted(writer.store)
    await writer.read()
    await reader.read()
    drain = await opened(writer.store, domain_id)
    await expire(postgres_url, writer.store, GIVEN_BACK)
    await reader.read()
    assert reader.store.handover.open_drains() == [drain]


async def test_all_is_read_when_a_process_has_ended(
    writer: Watched, reader: Watched, postgres_url: str
) -> None:
    """It was killed between its last change and the bulletin on it."""
    domain_id = await hosted(writer.store)
    await writer.read()
    await reader.read()
    await hold(writer.store, domain_id, 1)
    await expire(postgres_url, writer.store, GIVEN_BACK)
    assert (usage_queries.OF_OTHERS,) in await reader.read()
    assert reader.store.figures.usage(domain_id).messages == 1
    assert await reader.read() == []


async def test_all_is_read_when_a_bulletin_is_missing(writer: Watched, reader: Watched) -> None:
    domain_id = await hosted(writer.store)
    await writer.read()
    await reader.read()
    for number in (1, 2):
        await hold(writer.store, domain_id, number)
        await writer.read()
    await reader.store.core.write(
        lambda transaction: transaction.fetch("DELETE FROM bulletin WHERE number = 1")
    )
    assert (usage_queries.OF_OTHERS,) in await reader.read()
    assert reader.store.figures.usage(domain_id) == writer.store.figures.usage(domain_id)
    assert await reader.read() == []


async def test_all_is_read_when_the_own_lease_had_ended(
    writer: Watched, reader: Watched, postgres_url: str
) -> None:
    """The other one was alone meanwhile, and wrote no bulletin on its change."""
    domain_id = await hosted(writer.store)
    await writer.read()
    await reader.read()
    await expire(postgres_url, reader.store, OVER)
    await hold(writer.store, domain_id, 1)
    for _ in range(12):
        await writer.read()
    reader.store.core.node._beaten_at -= 12
    await reader.store.core.node.beat()
    await writer.read()
    assert (usage_queries.OF_OTHERS,) in await reader.read()
    assert reader.store.figures.usage(domain_id).messages == 1
    assert await reader.read() == []


async def test_a_bulletin_that_could_not_be_written_is_written_later(
    writer: Watched, reader: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain_id = await hosted(writer.store)
    await writer.read()
    await reader.read()
    await hold(writer.store, domain_id, 1)

    async def fail(*_: object) -> None:
        raise StoreError("in a test")

    with monkeypatch.context() as patch:
        patch.setattr(writer.store.core, "write", fail)
        with pytest.raises(StoreError):
            await writer.read()
    await writer.read()
    await reader.read()
    assert reader.store.figures.usage(domain_id).messages == 1


async def test_a_process_that_begins_misses_nothing_of_those_before(
    writer: Watched, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change came after it had read all, and before the writer knew of it."""
    domain_id = await hosted(writer.store)
    await writer.read()
    reader = Watched(await open_postgres(postgres_url, ALONE), monkeypatch)
    await reader.read()
    await hold(writer.store, domain_id, 1)
    await writer.read()
    await reader.read()
    assert reader.store.figures.usage(domain_id).messages == 1
    await reader.store.close()


async def test_alone_it_writes_and_reads_nothing(writer: Watched) -> None:
    domain_id = await hosted(writer.store)
    await hold(writer.store, domain_id, 1)
    assert await writer.read() == []
    assert await writer.store.core.fetch("SELECT * FROM bulletin") == []


async def test_old_bulletins_are_removed(writer: Watched, reader: Watched) -> None:
    domain_id = await hosted(writer.store)
    await hold(writer.store, domain_id, 1)
    await writer.read()
    writer.reading._told = 64 * 10
    await hold(writer.store, domain_id, 2)
    await writer.read()
    rows = await writer.store.core.fetch("SELECT number FROM bulletin")
    assert rows == [(641,)]


async def test_figures_found_after_a_lost_answer_are_told(writer: Watched, reader: Watched) -> None:
    domain_id = await hosted(writer.store)
    await writer.read()
    await reader.read()
    writer.store.core.mirror.take_own({domain_id: DomainUsage(3, 30)})
    await writer.read()
    assert (usage_queries.OF_OTHERS_IN, [domain_id]) in await reader.read()
