"""Reading held mail back for a drain: by domain, in windows, and one message alone."""

import pytest

from restante.mail.message_origin import MessageOrigin, PtrStatus
from restante.store.figure_store import DomainUsage
from restante.store.interface import Store
from tests.contract.conftest import WITH_SEALED
from tests.contract.making import (
    ANNA,
    BERT,
    CONTENT,
    held_numbers,
    hold,
    hosted,
    message,
    opened,
    refused,
    sealing_octets,
)

PLENTY = 1 << 30


@pytest.fixture(params=WITH_SEALED)
def implementation(request: pytest.FixtureRequest) -> str:
    """Which store."""
    return str(request.param)


async def test_each_domain_has_its_own_mail(store: Store) -> None:
    alpha, beta = await hosted(store, "alpha.example"), await hosted(store, "beta.example")
    await store.reception.hold([message(1, alpha), message(2, beta), message(3, alpha)])
    assert await held_numbers(store, alpha) == [1, 3]
    assert await held_numbers(store, beta) == [2]
    assert store.figures.usages() == {
        alpha: DomainUsage(2, 2 * len(CONTENT)),
        beta: DomainUsage(1, len(CONTENT)),
    }


async def test_a_window_ends_at_its_number_of_messages(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, *range(1, 11))
    window = await store.handover.held(domain_id, after=3, limit=4, max_octets=PLENTY)
    assert [one.number for one in window] == [4, 5, 6, 7]


@pytest.mark.parametrize(
    ("max_octets", "expected"), [(0, 1), (1, 1), (100, 1), (101, 2), (200, 2), (201, 3), (999, 4)]
)
async def test_a_window_ends_where_its_octets_are_reached(
    store: Store, max_octets: int, expected: int
) -> None:
    domain_id = await hosted(store)
    head = b"x" * (100 - sealing_octets(store))  # windows count stored octets
    await store.reception.hold([message(number, domain_id, head=head) for number in range(1, 5)])
    window = await store.handover.held(domain_id, after=0, limit=10, max_octets=max_octets)
    assert len(window) == expected


async def test_a_window_past_the_last_message_is_empty(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2)
    assert await store.handover.held(domain_id, after=2, limit=10, max_octets=PLENTY) == []


async def test_a_window_passes_over_what_is_refused(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2, 3)
    drain = await opened(store, domain_id, 0.0, 60.0)
    await store.handover.settle(drain, [refused(1), refused(2)])
    assert await held_numbers(store, domain_id) == [3]


async def test_one_message_is_found_by_its_number(store: Store) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(5, domain_id, ANNA, BERT)])
    found = await store.queue.message(5)
    assert found
    assert found.envelope.forward_paths == (ANNA, BERT)
    assert await store.queue.message(6) is None


async def test_one_message_is_found_with_its_refused_recipients_too(store: Store) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(5, domain_id, ANNA, BERT)])
    await store.handover.settle(await opened(store, domain_id, 0.0, 60.0), [refused(5, ANNA)])
    found = await store.queue.message(5)
    assert found
    assert found.envelope.forward_paths == (BERT, ANNA)


async def test_a_drain_gets_origins_only_where_it_asks_for_them(store: Store) -> None:
    domain_id = await hosted(store)
    origin = MessageOrigin(
        "198.51.100.7", 40000, "h", host_name="h.example", ptr=PtrStatus.CONFIRMED
    )
    claimed = origin._replace(is_imported=True)
    await store.reception.hold(
        [
            message(1, domain_id)._replace(origin=origin),
            message(2, domain_id)._replace(origin=claimed),
            message(3, domain_id),
        ]
    )
    with_origins = await store.handover.held(domain_id, 0, 10, PLENTY, with_origins=True)
    assert [one.origin for one in with_origins] == [origin, claimed, None]
    without = await store.handover.held(domain_id, 0, 10, PLENTY)
    assert [one.origin for one in without] == [None, None, None]
    assert without == [one._replace(origin=None) for one in with_origins]
