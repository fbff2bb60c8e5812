"""Mail at the end of its retention: its time, the rest of a message, and marks."""

from dataclasses import replace

import pytest

from restante.queue.recipient_status import RecipientStatus
from restante.store.figure_store import NO_USAGE, DomainUsage
from restante.store.handover_store import Drain
from restante.store.interface import Store
from restante.store.queue_store import QueueFilter
from restante.store.store_errors import Conflict
from tests.contract.making import (
    ANNA,
    BERT,
    CARL,
    CONTENT,
    NOTED,
    deferred,
    delivered,
    held_numbers,
    hold,
    hosted,
    message,
    opened,
    refused,
    spooled,
    waiting,
)

HELD, REFUSED = RecipientStatus.HELD, RecipientStatus.REFUSED


async def drain(store: Store, domain_id: int) -> Drain:
    return await opened(store, domain_id, 0.0, 60.0)


async def test_held_mail_is_due_by_when_it_was_received_oldest_first(store: Store) -> None:
    domain_id, other = await hosted(store), await hosted(store, "beta.example")
    await hold(store, domain_id, 1, 2, 3)
    await hold(store, other, 4)
    assert await store.retention.expired(domain_id, RecipientStatus.HELD, 3.0, 10) == [1, 2]
    assert await store.retention.expired(domain_id, RecipientStatus.HELD, 99.0, 2) == [1, 2]
    assert await store.retention.expired(domain_id, RecipientStatus.HELD, 99.0, 2, 1) == [2, 3]
    assert await store.retention.expired(domain_id, RecipientStatus.HELD, 99.0, 2, 3) == []
    assert await store.retention.waiting_since(domain_id, RecipientStatus.HELD) == 1.0
    assert await store.retention.waiting_since(77, RecipientStatus.HELD) is None


async def test_expired_mail_is_gone_with_its_file(store: Store) -> None:
    domain_id = await hosted(store)
    file = await spooled(store, b"x" * 100)
    await store.reception.hold([message(1, domain_id, file=file), message(2, domain_id)])
    assert await store.retention.expire(domain_id, [1, 2], RecipientStatus.HELD, 2.0, NOTED) == 1
    assert await held_numbers(store, domain_id) == [2]
    assert (
        store.figures.usage(domain_id)
        == store.figures.usage_of_account("alpha")
        == DomainUsage(1, len(CONTENT))
    )
    assert len([entry for entry in await store.audit.audit() if entry == NOTED]) > 0


async def test_nothing_due_changes_and_records_nothing(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 5)
    before = len(await store.audit.audit())
    assert await store.retention.expire(domain_id, [5, 999], RecipientStatus.HELD, 5.0, NOTED) == 0
    assert await store.retention.expire(77, [5], RecipientStatus.HELD, 99.0, NOTED) == 0
    assert (await held_numbers(store, domain_id), len(await store.audit.audit())) == ([5], before)


async def test_refused_mail_is_due_by_when_it_was_refused(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2)
    lease = await drain(store, domain_id)
    await store.handover.settle(lease, [refused(1)], at=100.0)
    await store.handover.settle(lease, [refused(2)], at=50.0)
    assert await store.retention.expired(domain_id, RecipientStatus.REFUSED, 100.0, 10) == [2]
    assert await store.retention.expired(domain_id, RecipientStatus.REFUSED, 100.5, 10) == [1, 2]
    assert await store.retention.expired(domain_id, RecipientStatus.REFUSED, 100.5, 10, 1) == [2]
    assert await store.retention.waiting_since(domain_id, RecipientStatus.REFUSED) == 50.0
    assert (
        await store.retention.expire(domain_id, [1, 2], RecipientStatus.REFUSED, 60.0, NOTED) == 1
    )
    assert store.figures.usage(domain_id) == DomainUsage(1, len(CONTENT), refused=1)


async def test_of_a_message_only_who_is_due_goes(store: Store) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, ANNA, BERT, CARL)])
    await store.handover.settle(await drain(store, domain_id), [refused(1, BERT)], at=10.0)
    assert await store.retention.expire(domain_id, [1], RecipientStatus.HELD, 11.0, NOTED) == 1
    assert store.figures.usage(domain_id) == DomainUsage(1, len(CONTENT), refused=1)
    assert await held_numbers(store, domain_id) == []
    assert await store.retention.expire(domain_id, [1], RecipientStatus.REFUSED, 11.0, NOTED) == 1
    assert store.figures.usage(domain_id) == NO_USAGE


async def test_refused_recipients_go_and_those_who_wait_stay(store: Store) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, ANNA, BERT, CARL)])
    lease = await drain(store, domain_id)
    await store.handover.settle(lease, [refused(1, BERT)], at=10.0)
    await store.handover.settle(lease, [refused(1, CARL)], at=20.0)
    assert await store.retention.expire(domain_id, [1], RecipientStatus.REFUSED, 15.0, NOTED) == 1
    assert [one.status for one in (await store.queue.list_queue(QueueFilter()))[0].recipients] == [
        HELD,
        REFUSED,
    ]  # Anna, Carl
    assert await store.retention.expire(domain_id, [1], RecipientStatus.REFUSED, 25.0, NOTED) == 1
    assert await waiting(store, 1) == (ANNA,)


async def test_mail_held_again_has_its_time_anew(store: Store) -> None:
    """Otherwise mail that the customer has just released would be deleted for its age."""
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2)
    lease = await drain(store, domain_id)
    await store.handover.settle(lease, [refused(1)], at=10.0)
    await store.queue.release_refused([1], replace(NOTED, at=100.0))
    assert await store.retention.expired(domain_id, RecipientStatus.HELD, 100.0, 10) == [2]
    assert await store.retention.waiting_since(domain_id, RecipientStatus.HELD) == 100.0
    assert await store.retention.expire(domain_id, [1], RecipientStatus.HELD, 100.0, NOTED) == 0
    await store.handover.settle(
        lease, [deferred(1)], at=200.0
    )  # an attempt is no new beginning, and takes none away
    assert await store.retention.expired(domain_id, RecipientStatus.HELD, 100.0, 10) == [2]
    assert await store.retention.expired(domain_id, RecipientStatus.HELD, 101.0, 10) == [1, 2]


async def test_attempts_do_not_make_mail_younger(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    await store.handover.settle(await drain(store, domain_id), [deferred(1)], at=500.0)
    assert await store.retention.expire(domain_id, [1], RecipientStatus.HELD, 2.0, NOTED) == 1
    assert store.figures.usage(domain_id) == NO_USAGE


async def test_a_drain_may_settle_what_has_expired_under_it(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    lease = await drain(store, domain_id)
    await store.retention.expire(domain_id, [1], RecipientStatus.HELD, 2.0, NOTED)
    await store.handover.settle(lease, [delivered(1)], at=3.0)
    assert store.figures.usage(domain_id) == NO_USAGE


async def test_a_mark_is_kept_replaced_and_forgotten(store: Store) -> None:
    one, two = await hosted(store), await hosted(store, "beta.example")
    await store.retention.keep_mark(one, "x", 7.0)
    await store.retention.keep_mark(two, "x", 1.0)
    await store.retention.keep_mark(one, "y", 2.0)
    await store.retention.keep_mark(one, "x", 3.0)
    assert await store.retention.marks("x") == {one: 3.0, two: 1.0}
    assert await store.retention.marks("x", [two, 99]) == {two: 1.0}
    assert await store.retention.marks("x", []) == {}
    await store.retention.keep_mark(one, "x", None)
    assert await store.retention.marks("x") == {two: 1.0}
    await store.records.remove_domain(two, NOTED)
    assert await store.retention.marks("x") == {}
    with pytest.raises(Conflict):
        await store.retention.keep_mark(two, "x", 1.0)
