"""Mail with an unreadable final reply: attempts are counted, and only a person ends it."""

from restante.queue.recipient_status import RecipientStatus
from restante.store.figure_store import DomainUsage, SetApart
from restante.store.interface import Store
from restante.store.queue_store import QueuedRecipient, QueueFilter
from tests.contract.making import (
    ANNA,
    BERT,
    CONTENT,
    NOTED,
    deferred,
    hold,
    hosted,
    message,
    opened,
    refused,
    taken_over,
    uncertain,
)


async def listed(store: Store, status: RecipientStatus | None = None) -> list[QueuedRecipient]:
    return [
        one
        for each in await store.queue.list_queue(QueueFilter(status=status))
        for one in each.recipients
    ]


async def parked(store: Store) -> int:
    """Hold one message to two: Bert is refused and Anna uncertain. Return the domain's id."""
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, ANNA, BERT)])
    drain = await opened(store, domain_id, 0.0, 60.0)
    await store.handover.settle(drain, [uncertain(1, ANNA)], at=10.0)
    await store.handover.settle(drain, [refused(1, BERT)], at=10.0)
    return domain_id


async def test_it_counts_as_parked_and_is_listed_under_a_status_of_its_own(store: Store) -> None:
    domain_id = await parked(store)
    assert store.figures.usage(domain_id) == DomainUsage(1, len(CONTENT), refused=1)
    assert {(one.forward_path, one.status) for one in await listed(store)} == {
        (ANNA, RecipientStatus.UNCERTAIN),
        (BERT, RecipientStatus.REFUSED),
    }
    for status, path in ((RecipientStatus.UNCERTAIN, ANNA), (RecipientStatus.REFUSED, BERT)):
        assert [one.forward_path for one in await listed(store, status)] == [path]
    assert await store.handover.held(domain_id, 0, 10, 1 << 20) == []
    both = await store.queue.list_queue(
        QueueFilter(domain_ids=(domain_id,), status=RecipientStatus.UNCERTAIN, recipient="*anna*")
    )
    assert len(both) == 1
    assert not await store.queue.list_queue(
        QueueFilter(domain_ids=(domain_id,), status=RecipientStatus.UNCERTAIN, recipient="*bert*")
    )


async def test_the_retention_of_refused_mail_does_not_concern_it(store: Store) -> None:
    domain_id = await parked(store)
    assert await store.retention.expired(domain_id, RecipientStatus.REFUSED, 99.0, 10) == [1]
    assert await store.retention.expire(domain_id, [1], RecipientStatus.REFUSED, 99.0, NOTED) == 1
    assert [(one.forward_path, one.status) for one in await listed(store)] == [
        (ANNA, RecipientStatus.UNCERTAIN)
    ]
    assert await store.retention.expired(domain_id, RecipientStatus.REFUSED, 99.0, 10) == []
    assert await store.retention.waiting_since(domain_id, RecipientStatus.REFUSED) is None
    assert await store.retention.expire(domain_id, [1], RecipientStatus.REFUSED, 99.0, NOTED) == 0
    assert store.figures.usage(domain_id) == DomainUsage(1, len(CONTENT), refused=1)


async def test_it_is_counted_apart_from_refused_mail(store: Store) -> None:
    domain_id = await hosted(store)
    both = [message(number, domain_id, ANNA, BERT) for number in (1, 2)]
    await store.reception.hold([*both, message(3, domain_id, ANNA)])
    drain = await opened(store, domain_id)
    await store.handover.settle(drain, [uncertain(1, ANNA)], at=10.0)
    await store.handover.settle(drain, [refused(1, BERT)], at=10.0)
    await store.handover.settle(drain, [uncertain(2, ANNA)], at=10.0)
    await store.handover.settle(drain, [refused(3, ANNA)], at=10.0)
    assert store.figures.usage(domain_id) == DomainUsage(3, 3 * len(CONTENT), refused=2)
    assert await store.figures.set_apart() == {domain_id: SetApart(uncertain=2, unheld=1)}


async def test_released_by_status_only_recipients_with_this_one_are_held_again(
    store: Store,
) -> None:
    domain_id = await parked(store)
    assert await store.queue.release_refused([1], NOTED, RecipientStatus.DAMAGED) == 0
    assert await store.queue.release_refused([1], NOTED, RecipientStatus.REFUSED) == 1
    assert {(one.forward_path, one.status) for one in await listed(store)} == {
        (ANNA, RecipientStatus.UNCERTAIN),
        (BERT, RecipientStatus.HELD),
    }
    assert store.figures.usage(domain_id) == DomainUsage(1, len(CONTENT), refused=0)
    assert await store.figures.set_apart() == {domain_id: SetApart(uncertain=1)}


async def test_released_again_it_is_held_and_its_attempts_are_forgotten(store: Store) -> None:
    domain_id = await parked(store)
    assert await store.queue.release_refused([1], NOTED) == 1
    [held] = await store.handover.held(domain_id, 0, 10, 1 << 20)
    assert (held.doubts, set(held.envelope.forward_paths)) == (0, {ANNA, BERT})


async def test_it_can_be_deleted(store: Store) -> None:
    domain_id = await parked(store)
    assert await store.queue.delete([1], NOTED) == 1
    assert store.figures.usage(domain_id) == DomainUsage(0, 0)


async def test_how_often_no_reply_could_be_read_is_remembered_with_the_message(
    store: Store,
) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2)
    drain = await opened(store, domain_id, 0.0, 60.0)
    await store.handover.settle(drain, [deferred(1)._replace(doubts=1)])
    await store.handover.settle(drain, [deferred(2)])
    assert [one.doubts for one in await store.handover.held(domain_id, 0, 10, 1 << 20)] == [1, 0]
    await store.handover.settle(drain, [deferred(1)])
    assert [one.doubts for one in await store.handover.held(domain_id, 0, 10, 1 << 20)] == [1, 0]
    await store.handover.settle(drain, [deferred(1)._replace(doubts=2)])
    assert [one.doubts for one in await store.handover.held(domain_id, 0, 10, 1 << 20)] == [2, 0]


async def test_no_outcome_reaches_it_but_a_persons(store: Store) -> None:
    await parked(store)
    [parked_by] = store.handover.open_drains()
    drain = await taken_over(store, parked_by)
    await store.handover.settle(drain, [refused(1, ANNA)], at=20.0)
    assert {one.status for one in await listed(store)} == {
        RecipientStatus.UNCERTAIN,
        RecipientStatus.REFUSED,
    }


async def test_counting_attempts_changes_no_other_fact_of_a_message(store: Store) -> None:
    domain_id = await hosted(store)
    made = message(1, domain_id)
    envelope = made.envelope._replace(is_8bit=True, needs_smtputf8=True, is_suspect=True)
    await store.reception.hold([made._replace(envelope=envelope)])
    drain = await opened(store, domain_id, 0.0, 60.0)
    for doubts in (1, 2):
        await store.handover.settle(drain, [deferred(1)._replace(doubts=doubts)])
        [held] = await store.handover.held(domain_id, 0, 10, 1 << 20)
        assert (held.envelope, held.doubts) == (envelope, doubts)
