"""Figures of other processes are there at once where a decision depends on them."""

import asyncio

import pytest

from restante.store.postgres import PostgresStore, mail_statements, postgres_figures, usage_queries
from tests.contract.making import NOTED, hold, hosted

pytestmark = pytest.mark.usefixtures("runner")


async def test_mail_of_a_domain_that_another_process_has_just_added_is_known_at_once(
    store: PostgresStore, other: PostgresStore
) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    assert other.figures.usage(domain_id).held == 0  # until its next heartbeat
    await other.figures.catch_up([domain_id])
    assert other.figures.usage(domain_id).held == 1


async def test_mail_that_another_process_took_is_counted_at_once(
    store: PostgresStore, other: PostgresStore
) -> None:
    domain_id = await hosted(store)
    await other.figures.catch_up([domain_id])
    await hold(store, domain_id, 1, 2)
    other.core.mirror.take_changed_domains({domain_id: "alpha"})  # as the next poll does
    assert other.figures.usage(domain_id).held == 0
    await other.figures.catch_up([domain_id])
    assert other.figures.usage(domain_id).held == 2


async def test_mail_that_is_gone_is_not_counted_any_more(
    store: PostgresStore, other: PostgresStore
) -> None:
    domain_id = await hosted(store)
    other.core.mirror.take_changed_domains({domain_id: "alpha"})
    await hold(store, domain_id, 1)
    await other.figures.catch_up([domain_id])
    assert other.figures.usage(domain_id).held == 1
    await store.queue.delete([1], NOTED)
    await other.figures.catch_up([domain_id])
    assert other.figures.usage(domain_id).held == 0


async def test_the_oldest_mail_is_not_sought_again_until_some_has_left(
    store: PostgresStore, other: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, many = await hosted(store, "few.example"), await hosted(store, "many.example")
    await hold(store, few, 1, 2)
    await hold(store, many, 3, 4)
    assert await store.figures.oldest() == {few: 1.0, many: 3.0}
    await hold(other, few, 5)
    with monkeypatch.context() as patched:
        patched.setattr(mail_statements, "OLDEST_MESSAGES", "SELECT no_column")
        for one in (store, other):
            assert await one.figures.oldest() == {few: 1.0, many: 3.0}
    await other.queue.delete([1], NOTED)
    assert await store.figures.oldest() == {few: 2.0, many: 3.0}


async def test_the_oldest_mail_of_many_domains_is_sought_in_steps(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain_ids = [await hosted(store, f"d{number}.example") for number in range(5)]
    for number, domain_id in enumerate(domain_ids, start=1):
        await hold(store, domain_id, number)
    found = dict(zip(domain_ids, (1.0, 2.0, 3.0, 4.0, 5.0), strict=True))
    monkeypatch.setattr(postgres_figures, "ASKED_AT_ONCE", 2)
    with monkeypatch.context() as patched:
        patched.setattr(usage_queries, "KEEP_OLDEST", "SELECT no_column")
        assert await store.figures.oldest() == found, "although it cannot be kept"
    assert await store.figures.oldest() == found


async def test_the_search_for_the_oldest_mail_goes_on_without_its_caller(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status gives up after five seconds. The next one must find what was sought for the first."""
    domain_ids = [await hosted(store, f"d{number}.example") for number in range(3)]
    for number, domain_id in enumerate(domain_ids, start=1):
        await hold(store, domain_id, number)
    monkeypatch.setattr(postgres_figures, "ASKED_AT_ONCE", 1)
    asking = asyncio.create_task(store.figures.oldest())
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    while store.core._at_work:
        await asyncio.wait(set(store.core._at_work))
    [(count,)] = await store.core.fetch("SELECT count(*) FROM oldest_mail")
    assert count == 3


async def test_the_oldest_mail_of_a_removed_domain_is_forgotten(store: PostgresStore) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    assert await store.figures.oldest() == {domain_id: 1.0}
    await store.queue.delete([1], NOTED)
    await store.records.remove_domain(domain_id, NOTED)
    assert await store.core.fetch("SELECT domain_id FROM oldest_mail") == []
