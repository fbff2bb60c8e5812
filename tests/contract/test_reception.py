"""Holding mail: it comes back whole, its numbers grow, and a refusal is for all of one mail."""

from dataclasses import replace

import pytest

from restante.mail.envelope import Envelope
from restante.mail.message import HeldMessage, NewMessage
from restante.mail.message_origin import MessageOrigin
from restante.store.figure_store import NO_USAGE, DomainUsage
from restante.store.interface import Store
from restante.store.store_errors import Conflict, OverQuota, StoreError
from restante.tenancy.quota import NO_QUOTA, DomainQuotas, Quota
from tests.contract.conftest import WITH_SEALED
from tests.contract.making import (
    ANNA,
    CONTENT,
    NOTED,
    account,
    all_held,
    delivered,
    domain,
    held_numbers,
    hold,
    hosted,
    last_number,
    message,
    opened,
)


@pytest.fixture(params=WITH_SEALED)
def implementation(request: pytest.FixtureRequest) -> str:
    """Which store."""
    return str(request.param)


async def test_held_mail_comes_back_whole(store: Store) -> None:
    domain_id = await hosted(store)
    envelope = Envelope(
        "bob@example.org", (ANNA, "jürgen@alpha.example"), is_8bit=True, needs_smtputf8=True
    )
    await store.reception.hold(
        [NewMessage(7, domain_id, envelope, 1700000000.25, bytes(range(256)))]
    )
    assert await all_held(store, domain_id) == [
        HeldMessage(7, domain_id, envelope, 1700000000.25, bytes(range(256)), file=None)
    ]


async def test_where_a_message_came_from_is_kept_for_people(store: Store) -> None:
    """A drain does without the origin: reading it would cost time for each message."""
    domain_id = await hosted(store)
    origin = MessageOrigin(
        "2001:db8::1", 4711, 'say "hello"', "TLSv1.3 X", "mx.example.org", {"filter": "score 3"}
    )
    bare = MessageOrigin("192.0.2.1", 0, "")
    new = [
        message(1, domain_id)._replace(origin=origin, message_id="<1@example.org>"),
        message(2, domain_id)._replace(origin=bare),
        message(3, domain_id),
    ]
    await store.reception.hold(new)
    found = [await store.queue.message(number) for number in (1, 2, 3)]
    assert [one and (one.origin, one.message_id) for one in found] == [
        (origin, "<1@example.org>"),
        (bare, None),
        (None, None),
    ]
    assert [(one.origin, one.message_id) for one in await all_held(store, domain_id)] == [
        (None, "<1@example.org>"),
        (None, None),
        (None, None),
    ]


async def test_a_null_reverse_path_and_empty_content_come_back_as_they_were(store: Store) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, reverse_path="", head=b"")])
    [held] = await all_held(store, domain_id)
    assert (held.envelope.reverse_path, held.head, held.size) == ("", b"", 0)


async def test_many_messages_are_held_at_once_and_read_oldest_first(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, *range(1, 201))
    assert await held_numbers(store, domain_id) == list(range(1, 201))
    assert store.figures.usage(domain_id) == DomainUsage(200, 200 * len(CONTENT))


async def test_holding_nothing_is_nothing(store: Store) -> None:
    await store.reception.hold([])
    assert last_number(store) == 0


async def test_mail_for_a_domain_that_is_gone_is_refused_alone(store: Store) -> None:
    alpha, beta = await hosted(store, "alpha.example"), await hosted(store, "beta.example")
    await store.records.remove_domain(beta, NOTED)
    refused = await store.reception.hold([message(1, alpha), message(2, beta), message(3, alpha)])
    assert {number: type(reason) for number, reason in refused.items()} == {2: Conflict}
    assert str(refused[2]) == f"domain {beta} no longer exists"
    assert await held_numbers(store, alpha) == [1, 3]
    assert store.figures.usage(alpha) == DomainUsage(2, 2 * len(CONTENT))
    assert store.figures.usage(beta) == NO_USAGE


async def test_the_parts_of_one_mail_are_refused_together(store: Store) -> None:
    """Its sender gets one reply, and sends all of it again."""
    alpha, beta = await hosted(store, "alpha.example"), await hosted(store, "beta.example")
    await store.records.remove_domain(beta, NOTED)
    parts = [message(number, of)._replace(first=2) for number, of in ((2, alpha), (3, beta))]
    refused = await store.reception.hold([message(1, alpha), *parts, message(4, alpha)])
    assert sorted(refused) == [2, 3]
    assert await held_numbers(store, alpha) == [1, 4]


async def test_a_batch_may_be_refused_as_a_whole(store: Store) -> None:
    refused = await store.reception.hold([message(1, 77), message(2, 78)])
    assert sorted(refused) == [1, 2]
    domain_id = await hosted(store)
    await hold(store, domain_id, 3)
    assert await held_numbers(store, domain_id) == [3]


@pytest.mark.parametrize("numbers", [(5, 5), (6, 4), (4,)])
async def test_a_number_is_used_once(store: Store, numbers: tuple[int, ...]) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 4)
    with pytest.raises(Conflict):
        await hold(store, domain_id, *numbers)
    assert await held_numbers(store, domain_id) == [4]
    assert last_number(store) == 4


async def test_the_numbers_of_a_store_are_one_sequence(store: Store) -> None:
    domain_id = await hosted(store)
    first = store.reception.numbers().next(1.0)
    assert first >= 1_000_000
    second = store.reception.numbers().next(1.0)
    assert second > first
    await hold(store, domain_id, second + 7)
    assert store.reception.numbers().next(1.0) > second + 7


async def test_the_last_number_outlives_its_message_and_its_domain(store: Store) -> None:
    alpha, beta = await hosted(store, "alpha.example"), await hosted(store, "beta.example")
    await hold(store, alpha, 3)
    await hold(store, beta, 9)
    await store.handover.settle(await opened(store, beta, 0.0, 60.0), [delivered(9)])
    await store.records.remove_domain(beta, NOTED)
    assert last_number(store) == 9


# --- quotas


def quotas(domain_id: int, own: Quota, of_account: Quota = NO_QUOTA) -> dict[int, DomainQuotas]:
    return {domain_id: DomainQuotas("alpha.example", own, "alpha", of_account)}


async def test_mail_beyond_a_quota_is_refused_and_other_mail_is_held(store: Store) -> None:
    alpha, beta = await hosted(store), await hosted(store, "beta.example")
    await hold(store, alpha, 1, 2)
    new = [message(3, alpha), message(4, beta), message(5, alpha), message(6, beta)]
    refused = await store.reception.hold(new, quotas(alpha, Quota(messages=3)))
    assert {number: type(why) for number, why in refused.items()} == {5: OverQuota}
    assert await held_numbers(store, alpha) == [1, 2, 3]
    assert await held_numbers(store, beta) == [4, 6]
    assert store.figures.usage_of_account("alpha").messages == 5


async def test_the_parts_of_a_mail_are_refused_with_the_one_that_has_no_room(
    store: Store,
) -> None:
    alpha, beta = await hosted(store), await hosted(store, "beta.example")
    parts = [message(1, beta), message(2, alpha)._replace(first=1)]
    refused = await store.reception.hold(
        [*parts, message(3, beta)], quotas(alpha, Quota(octets=len(CONTENT) - 1))
    )
    assert refused.keys() == {1, 2}
    assert await held_numbers(store, beta) == [3]


async def test_the_quota_of_an_account_counts_all_its_domains(store: Store) -> None:
    alpha, beta = await hosted(store), await hosted(store, "beta.example")
    await hold(store, beta, 1)
    await hold(store, alpha, 2)
    limits = quotas(alpha, NO_QUOTA, Quota(messages=3))
    refused = await store.reception.hold([message(3, alpha), message(4, alpha)], limits)
    assert refused.keys() == {4}
    await store.queue.delete([1], NOTED)
    assert await store.reception.hold([message(5, alpha)], limits) == {}
    moved = replace(domain("beta.example"), id=beta, account="other")
    await store.records.put_account(account("other"), NOTED)
    await store.records.put_domain(moved, NOTED)
    await hold(store, beta, 6)
    assert (await store.reception.hold([message(7, alpha)], limits)).keys() == {7}
    assert await store.reception.hold([message(8, beta)], quotas(beta, NO_QUOTA)) == {}


async def test_mail_to_a_removed_domain_is_a_conflict_beside_a_quota(store: Store) -> None:
    alpha = await hosted(store)
    limits = quotas(alpha, Quota(messages=1)) | quotas(77, Quota(messages=1))
    new = [message(1, alpha), message(2, 77), message(3, alpha)]
    refused = await store.reception.hold(new, limits)
    assert {number: type(why) for number, why in refused.items()} == {2: Conflict, 3: OverQuota}
    with_number = await hold_or_conflict(store, message(1, alpha), quotas(alpha, Quota(messages=9)))
    assert isinstance(with_number, Conflict)
    assert await held_numbers(store, alpha) == [1]


async def hold_or_conflict(
    store: Store, one: NewMessage, limits: dict[int, DomainQuotas]
) -> StoreError | None:
    """Return why a message is not held, raised or returned."""
    try:
        return (await store.reception.hold([one], limits)).get(one.number)
    except StoreError as error:
        return error


async def test_a_quota_below_the_mail_that_is_held_refuses_all(store: Store) -> None:
    alpha = await hosted(store)
    await hold(store, alpha, 1, 2, 3)
    refused = await store.reception.hold([message(4, alpha)], quotas(alpha, Quota(messages=2)))
    assert refused.keys() == {4}
