"""Mail whose retention is over is found without a look at the other mail of its domain."""

from restante.queue.recipient_status import RecipientStatus
from restante.store.postgres import PostgresStore
from restante.store.postgres.node_numbers import NodeNumbers
from tests.contract.making import hosted, message

HELD = RecipientStatus.HELD
NOW = 1_800_000_000.0
WEEK = 7 * 86_400.0


async def test_mail_that_was_old_when_it_came_ends_with_the_mail_of_its_age(
    store: PostgresStore,
) -> None:
    """It was imported, so its number is newer than its receipt."""
    domain_id, numbers = await hosted(store), NodeNumbers(1)
    ages = (WEEK + 60, 60.0, WEEK + 60, WEEK - 60)
    given = []
    for is_imported, age in zip((False, False, True, True), ages, strict=True):
        given.append(numbers.next(NOW if is_imported else NOW - age))
        one = message(given[-1], domain_id, received_at=NOW - age)
        await store.reception.hold([one])
    due = await store.retention.expired(domain_id, HELD, NOW - WEEK, 10)
    assert due == [given[0], given[2]]
    assert await store.retention.expired(domain_id, HELD, NOW - WEEK, 1) == [given[0]]


async def test_an_hour_lies_between_a_receipt_and_the_index_of_aged_mail(
    store: PostgresStore,
) -> None:
    domain_id, numbers = await hosted(store), NodeNumbers(1)
    given = [numbers.next(NOW + delay) for delay in (3599.0, 3600.0, 3601.0)]
    await store.reception.hold([message(one, domain_id, received_at=NOW) for one in given])
    assert await store.retention.expired(domain_id, HELD, NOW + 0.001, 10) == given
    assert await store.retention.expired(domain_id, HELD, NOW, 10) == []
