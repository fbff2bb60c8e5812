"""Holding mail: it comes back whole, its numbers grow, and a refusal is for all of one mail."""

import pytest

from restante.mail.envelope import Envelope
from restante.mail.message import HeldMessage, NewMessage
from restante.mail.message_origin import MessageOrigin
from restante.store.figure_store import NO_USAGE, DomainUsage
from restante.store.interface import Store
from restante.store.store_errors import Conflict
from tests.contract.making import (
    ANNA,
    CONTENT,
    NOTED,
    all_held,
    delivered,
    held_numbers,
    hold,
    hosted,
    last_number,
    message,
    opened,
)


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
