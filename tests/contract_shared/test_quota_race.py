"""Two processes fill one quota at the same time: it is never exceeded, and never left unused."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from restante.store.postgres import PostgresStore
from restante.store.store_errors import OverQuota
from restante.tenancy.quota import NO_QUOTA, DomainQuotas, Quota
from tests.contract.making import NOTED, account, domain, held_numbers, hosted, message
from tests.contract_shared.conftest import second
from tests.store.postgres.waiting import when_one_waits

BATCH = 5


async def fill(
    store: PostgresStore, domain_id: int, quotas: dict[int, DomainQuotas], batches: int
) -> tuple[int, int]:
    """Hold batches, one after another; return how many messages were held and refused."""
    held = refused = 0
    numbers = store.reception.numbers()
    for _ in range(batches):
        new = [message(numbers.next(1.0), domain_id) for _ in range(BATCH)]
        gone = await store.reception.hold(new, quotas)
        assert all(isinstance(why, OverQuota) for why in gone.values()), gone
        held, refused = held + BATCH - len(gone), refused + len(gone)
    return held, refused


@pytest.mark.parametrize("most", [1, 7, 24, 50])
async def test_the_quota_of_a_domain_is_filled_to_the_last_message(
    one: PostgresStore, other: PostgresStore, most: int
) -> None:
    """Neither knows what the other has held: no heartbeat comes in between."""
    domain_id = await hosted(one)
    await second(one, other)
    quotas = {domain_id: DomainQuotas("alpha.example", Quota(messages=most), "alpha", NO_QUOTA)}
    sums = await asyncio.gather(*(fill(store, domain_id, quotas, 10) for store in (one, other)))
    assert sum(held for held, _ in sums) == most
    assert len(await held_numbers(one, domain_id)) == most
    await second(one, other, one)
    assert one.figures.usage(domain_id).messages == other.figures.usage(domain_id).messages == most


async def test_the_quota_of_an_account_is_filled_over_all_its_domains(
    one: PostgresStore, other: PostgresStore
) -> None:
    ids = [await hosted(one), await hosted(one, "beta.example")]
    whole = Quota(messages=33)
    quotas = {key: DomainQuotas(str(key), NO_QUOTA, "alpha", whole) for key in ids}
    sums = await asyncio.gather(
        *(fill(store, key, quotas, 5) for store in (one, other) for key in ids)
    )
    assert sum(held for held, _ in sums) == 33


async def test_mail_that_leaves_makes_room_in_another_process(
    one: PostgresStore, other: PostgresStore
) -> None:
    domain_id = await hosted(one)
    quotas = {domain_id: DomainQuotas("alpha.example", Quota(messages=2), "alpha", NO_QUOTA)}
    assert await one.reception.hold([message(1, domain_id), message(2, domain_id)], quotas) == {}
    assert (await other.reception.hold([message(3, domain_id)], quotas)).keys() == {3}
    await one.queue.delete([1], NOTED)
    assert await other.reception.hold([message(4, domain_id)], quotas) == {}


async def test_mail_without_a_quota_is_held_in_the_same_batch(
    one: PostgresStore, other: PostgresStore
) -> None:
    alpha, beta = await hosted(one), await hosted(one, "beta.example")
    quotas = {alpha: DomainQuotas("alpha.example", Quota(messages=1), "alpha", NO_QUOTA)}
    await other.reception.hold([message(1, alpha)])
    new = [message(2, beta), message(3, alpha), message(4, beta)._replace(first=3)]
    assert (await one.reception.hold(new, quotas)).keys() == {3, 4}
    assert await held_numbers(one, beta) == [2]


async def test_a_domain_that_moves_to_another_account_is_counted_there(
    one: PostgresStore, other: PostgresStore
) -> None:
    domain_id = await hosted(one)
    await other.reception.hold([message(1, domain_id)])
    await one.records.put_account(account("beta"), NOTED)
    await one.records.put_domain(replace(domain(of="beta"), id=domain_id), NOTED)
    quotas = {domain_id: DomainQuotas("alpha.example", NO_QUOTA, "beta", Quota(messages=1))}
    assert (await one.reception.hold([message(2, domain_id)], quotas)).keys() == {2}


async def test_mail_on_its_way_to_a_domain_is_waited_for(
    one: PostgresStore, postgres_url: str
) -> None:
    """Another process holds it without a lock, because it believes the quota to be far away."""
    domain_id = await hosted(one)
    quotas = {domain_id: DomainQuotas("alpha.example", Quota(messages=1), "alpha", NO_QUOTA)}
    another = await asyncpg.connect(postgres_url)
    block = another.transaction()
    await block.start()
    await another.execute("SELECT id FROM domain FOR KEY SHARE")
    await another.execute(f"INSERT INTO usage VALUES ({domain_id:d}, 99, 1, 10, 0)")
    holding = asyncio.ensure_future(one.reception.hold([message(1, domain_id)], quotas))
    await when_one_waits(another)
    await block.commit()
    assert (await holding).keys() == {1}
    await another.close()
