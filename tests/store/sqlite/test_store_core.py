"""The core of the parts: figures as of the last commit, reports of damage, and one end."""

import asyncio
import threading
from pathlib import Path

import pytest

from restante.store.drain_book import DrainRecord
from restante.store.figure_store import DomainUsage
from restante.store.handover_store import Drain
from restante.store.sqlite import SqliteStore, open_sqlite
from restante.store.sqlite.ledger import LedgerBalance
from restante.store.sqlite.mail_reading import UnreadableMessage
from restante.store.sqlite.store_core import LatestFigures
from restante.store.store_errors import StoreError
from tests.contract.making import (
    content,
    delivered,
    held_numbers,
    hold,
    hosted,
    opened,
    spooled,
)
from tests.store.damage_report import DamageReport


def test_the_figures_follow_each_commit_and_keep_what_it_did_not_touch() -> None:
    latest = LatestFigures()
    drain = DrainRecord(Drain(1, 1, 0.0, 60.0))
    latest.take(
        LedgerBalance(
            {1: DomainUsage(2, 20), 2: DomainUsage(1, 5)}, {1: "a", 2: "a"}, 7, {1: drain}
        )
    )
    latest.take(LedgerBalance({1: DomainUsage(1, 10)}, {1: "a"}, 3, {}))
    assert latest.usages == {1: DomainUsage(1, 10), 2: DomainUsage(1, 5)}
    assert latest.accounts.usage("a") == DomainUsage(2, 15)
    assert latest.numbers.last == 7
    assert latest.drains == {1: drain}
    latest.take(LedgerBalance({}, {}, 7, {1: None}))
    assert latest.drains == {}


async def test_damage_is_reported_once_and_keeps_the_message_from_drains(
    store: SqliteStore, damage: DamageReport
) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2)
    for _ in range(2):
        await store.core.park([UnreadableMessage(1, "its content is short", domain_id)])
    assert damage.numbers == [1]
    assert await held_numbers(store, domain_id) == [2]


async def test_after_a_failure_nothing_is_read_or_written(store: SqliteStore) -> None:
    store.core.health.fail("syncing: input/output error")
    for call in (store.core.write(lambda _: None), store.core.read(lambda _: None)):
        with pytest.raises(StoreError, match="reopened"):
            await call


async def test_it_is_closed_once_and_says_so_afterwards(
    store: SqliteStore, directory: Path
) -> None:
    await hold(store, await hosted(store), 1)
    await asyncio.gather(store.core.close(), store.core.close())
    with pytest.raises(StoreError, match="closed"):
        await store.core.write(lambda _: None)
    again = await open_sqlite(directory)
    assert again.figures.usage_of_account("alpha").messages == 1
    await again.close()


async def test_mail_comes_and_goes_while_people_occupy_every_thread_of_their_own(
    store: SqliteStore,
) -> None:
    domain_id = await hosted(store)
    people, end = store.apart(), threading.Event()
    slow = [asyncio.ensure_future(people.core.read(lambda _: end.wait(60))) for _ in range(20)] + [
        asyncio.ensure_future(people.core.files.run(lambda: end.wait(60), is_apart=True))
        for _ in range(20)
    ]
    await hold(store, domain_id, 1, 2)
    drain = await opened(store, domain_id)
    assert await held_numbers(store, domain_id) == [1, 2]
    spool = await spooled(store, b"large")
    assert await content(store.content.read_file(spool)) == b"large"
    await store.handover.settle(drain, [delivered(1), delivered(2)])
    assert await held_numbers(store, domain_id) == []
    assert not any(one.done() for one in slow)
    end.set()
    assert all(await asyncio.gather(*slow))


async def test_a_store_apart_sees_the_same_mail_and_ends_with_the_other(
    store: SqliteStore,
) -> None:
    domain_id = await hosted(store)
    people = store.apart()
    await hold(store, domain_id, 1)
    assert await held_numbers(people, domain_id) == [1]
    assert people.figures.usage(domain_id).messages == 1
    assert (people.upkeep, people.duties) == (store.upkeep, store.duties)
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await people.core.read(lambda _: None)
    with pytest.raises(StoreError, match="closed"):
        await people.core.write(lambda _: None)
