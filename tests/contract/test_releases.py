"""Requests to release mail, and the results of their drains."""

from dataclasses import replace

import pytest

from restante.queue.drain_word import DrainEnd, DrainWay
from restante.queue.history import HistoryFilter
from restante.store.handover_store import Drain, PastDrain, WantedDrain
from restante.store.interface import Store
from restante.store.release_store import (
    PastRelease,
    ReleaseDrain,
    ReleaseFilter,
    ReleaseProgress,
    ReleaseRecord,
)
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.release_result import ReleaseResult
from tests.contract.making import (
    ANNA,
    BERT,
    NOTED,
    deferred,
    delivered,
    hold,
    hosted,
    message,
    opened,
    refused,
    taken_over,
    uncertain,
)

ANY = ReleaseFilter()
SECOND = 1_000_000  # microseconds
ASKED = AuditEntry(7.0, AuditAction.RELEASE_REQUESTED, "login alice", "alpha.example")


def release(number: int, **fields: object) -> ReleaseRecord:
    """A request at this second."""
    record = ReleaseRecord(
        id=number * SECOND,
        at=float(number),
        actor="login alice",
        acted_from="192.0.2.25",
        target="alpha.example",
        account="alpha",
        domain="alpha.example",
        result=ReleaseResult.GRANTED,
        reason="granted",
        pending=2,
    )
    return replace(record, **fields)  # type: ignore[arg-type]  # by name, as the test says


def past(end: DrainEnd = DrainEnd.FINISHED, at: float = 9.0) -> PastDrain:
    return PastDrain(1.5, at, "login alice", end, "", 0, 0, 0, "")


async def progress(store: Store, number: int = 1) -> ReleaseProgress:
    """Return the progress of the request of this second."""
    [found] = await store.releases.releases(ReleaseFilter(ids=(number * SECOND,)))
    return found.progress


async def asked(store: Store, domain_id: int, number: int = 1, **fields: object) -> None:
    """Record a request of this second, and open or join the domain's drain for it."""
    await store.releases.record_release(release(number, **fields), ASKED)
    await store.handover.open_drain(domain_id, float(number), 60.0, number * SECOND)


async def test_a_request_is_kept_with_its_entry_of_the_trail(store: Store) -> None:
    await store.releases.record_release(release(1), ASKED)
    assert await store.releases.releases(ANY) == [PastRelease(release(1), ReleaseProgress())]
    assert await store.audit.audit() == [ASKED]


async def test_a_later_answer_replaces_an_earlier(store: Store) -> None:
    later = release(1, result=ReleaseResult.CANNOT_NOW, pending=0)
    await store.releases.record_release(release(1), ASKED)
    await store.releases.record_release(later, ASKED)
    [found] = await store.releases.releases(ANY)
    assert found.record == later
    assert len(await store.audit.audit()) == 2


async def test_ids_grow_and_are_no_numbers_of_messages(store: Store) -> None:
    numbers = store.reception.numbers()
    given = [
        store.releases.next_id(50.0),
        numbers.next(50.0),
        store.releases.next_id(50.0),
        store.releases.next_id(49.0),
    ]
    assert given == sorted(set(given))
    assert given[0] >= 50 * SECOND


async def test_messages_count_by_their_outcome(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2, 3, 4, 5)
    await store.reception.hold([message(6, domain_id, ANNA, BERT)])
    await asked(store, domain_id)
    assert await progress(store) == ReleaseProgress(drains=1, open=1)
    [drain] = store.handover.open_drains()

    await store.handover.settle(drain, [delivered(1), delivered(2), refused(3)])
    await store.handover.settle(drain, [uncertain(4), deferred(5), delivered(6, ANNA)])
    assert await progress(store) == ReleaseProgress(1, 1, delivered=3, refused=1, uncertain=1)

    await store.handover.close_drain(drain, past(DrainEnd.GIVEN_UP))
    assert await progress(store) == ReleaseProgress(
        drains=1,
        open=0,
        delivered=3,
        refused=1,
        uncertain=1,
        left=2,
        ended_at=9.0,
        ends=(DrainEnd.GIVEN_UP,),
    )


async def test_an_outcome_that_is_no_news_does_not_count(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2)
    await asked(store, domain_id)
    [drain] = store.handover.open_drains()
    for _ in range(2):
        await store.handover.settle(drain, [delivered(1), refused(2), delivered(99)])
    assert await progress(store) == ReleaseProgress(1, 1, delivered=1, refused=1)


async def test_a_server_that_takes_the_drain_over_goes_on_counting(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2)
    await asked(store, domain_id)
    [drain] = store.handover.open_drains()
    await store.handover.settle(drain, [delivered(1)])
    later = await taken_over(store, drain)
    assert later.release == drain.release == SECOND
    await store.handover.settle(later, [delivered(2)])
    assert await store.handover.finish_drain(later, past=past())
    assert await progress(store) == ReleaseProgress(
        1, 0, delivered=2, ended_at=9.0, ends=(DrainEnd.FINISHED,)
    )


async def test_a_request_that_joins_a_drain_counts_from_then_on(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2, 3)
    await asked(store, domain_id, 1)
    [drain] = store.handover.open_drains()
    await store.handover.settle(drain, [delivered(1)])
    await asked(store, domain_id, 2)
    await store.handover.settle(drain, [delivered(2)])
    assert (await progress(store, 1), await progress(store, 2)) == (
        ReleaseProgress(1, 1, delivered=2),
        ReleaseProgress(1, 1, delivered=1),
    )
    await store.handover.close_drain(drain, past(DrainEnd.STOPPED))
    assert await progress(store, 2) == ReleaseProgress(
        1, 0, delivered=1, left=1, ended_at=9.0, ends=(DrainEnd.STOPPED,)
    )


async def test_a_request_that_joins_a_drain_without_one_makes_it_its_own(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    drain = await opened(store, domain_id)  # by a policy, say
    await asked(store, domain_id)
    await store.handover.settle(drain, [delivered(1)])
    assert await progress(store) == ReleaseProgress(1, 1, delivered=1)


async def test_requests_that_joined_a_drain_go_on_with_the_one_that_follows_it(
    store: Store,
) -> None:
    """They count what both deliver since they came, and are not over in between."""
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2, 3, 4, 5, 6)
    drain = await store.handover.open_drain(domain_id, 1.0, 60.0, SECOND, way=DrainWay.TURNAROUND)
    assert isinstance(drain, Drain)
    await store.releases.record_release(release(1), ASKED)
    await store.handover.settle(drain, [delivered(1)])
    await asked(store, domain_id, 2)
    await store.handover.settle(drain, [delivered(2)])
    await asked(store, domain_id, 3)
    await store.handover.settle(drain, [delivered(3)])

    wanted = WantedDrain(9.0, 90.0, "login other")
    following = await store.handover.follow_drain(drain, wanted, past(DrainEnd.GIVEN_UP))
    assert following is not None
    assert following.way is DrainWay.DESTINATION
    assert (following.deadline, following.requested_by) == (90.0, "login other")
    assert store.handover.open_drains() == [following]
    assert await store.handover.follow_drain(drain, wanted) is None
    turned = ReleaseProgress(1, 0, delivered=3, left=3, ended_at=9.0, ends=(DrainEnd.GIVEN_UP,))
    assert [await progress(store, number) for number in (1, 2, 3)] == [
        turned,
        ReleaseProgress(1, 1, delivered=2),
        ReleaseProgress(1, 1, delivered=1),
    ]

    await store.handover.settle(following, [delivered(4), refused(5)])
    await store.handover.close_drain(following, past(DrainEnd.STOPPED, at=10.0))
    ended = ReleaseProgress(1, 0, refused=1, left=1, ended_at=10.0, ends=(DrainEnd.STOPPED,))
    assert [await progress(store, number) for number in (1, 2, 3)] == [
        turned,
        replace(ended, delivered=3),
        replace(ended, delivered=2),
    ]


async def test_a_drain_that_follows_is_for_the_request_that_is_given_if_none_joined(
    store: Store,
) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2, 3)
    await asked(store, domain_id)
    [drain] = store.handover.open_drains()
    await store.handover.settle(drain, [delivered(1)])
    await store.handover.close_drain(drain, past(DrainEnd.STOPPED))
    turned = await store.handover.open_drain(
        domain_id, 1.0, 60.0, 2 * SECOND, way=DrainWay.TURNAROUND
    )
    assert isinstance(turned, Drain)
    wanted = WantedDrain(9.0, 90.0, "login alice", SECOND)
    following = await store.handover.follow_drain(turned, wanted)
    assert following is not None
    assert await progress(store) == ReleaseProgress(1, 1, delivered=1)
    await store.handover.settle(following, [delivered(2)])
    await store.handover.close_drain(following, past(DrainEnd.STOPPED, at=10.0))
    assert await progress(store) == ReleaseProgress(
        1, 0, delivered=2, left=1, ended_at=10.0, ends=(DrainEnd.STOPPED,)
    )


async def test_the_drains_of_one_request_add_up(store: Store) -> None:
    first, second = await hosted(store), await hosted(store, "c.example")
    await hold(store, first, 1, 2)
    await hold(store, second, 3)
    await asked(store, first)
    await asked(store, second)
    drains = store.handover.open_drains()
    await store.handover.settle(drains[0], [delivered(1), refused(2)])
    await store.handover.close_drain(drains[0], past(at=8.0))
    assert await progress(store) == ReleaseProgress(
        2, 1, delivered=1, refused=1, ends=(DrainEnd.FINISHED,)
    )
    await store.handover.close_drain(drains[1], past(DrainEnd.GIVEN_UP, at=7.0))
    assert await progress(store) == ReleaseProgress(
        2,
        0,
        delivered=1,
        refused=1,
        left=1,
        ended_at=8.0,
        ends=(DrainEnd.FINISHED, DrainEnd.GIVEN_UP),
    )
    assert list(await store.releases.release_drains(SECOND, 10)) == [
        ReleaseDrain(first, 1, 1, 0, 0, 8.0, DrainEnd.FINISHED),
        ReleaseDrain(second, 0, 0, 0, 1, 7.0, DrainEnd.GIVEN_UP),
    ]
    assert len(await store.releases.release_drains(SECOND, 1)) == 1


async def test_a_drain_that_is_closed_without_a_result_was_stopped(store: Store) -> None:
    domain_id = await hosted(store)
    await asked(store, domain_id)
    [drain] = store.handover.open_drains()
    await store.handover.close_drain(drain, at=5.0)
    assert await progress(store) == ReleaseProgress(1, 0, ended_at=5.0, ends=(DrainEnd.STOPPED,))


async def test_a_removed_domain_ends_its_drain(store: Store) -> None:
    domain_id = await hosted(store)
    await asked(store, domain_id)
    await store.records.remove_domain(domain_id, NOTED)
    assert await progress(store) == ReleaseProgress(1, 0, ended_at=1.0, ends=(DrainEnd.STOPPED,))


async def test_the_history_names_the_release(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    await asked(store, domain_id)
    [drain] = store.handover.open_drains()
    await store.handover.settle(drain, [delivered(1)])
    [entry] = await store.history.history(HistoryFilter(number=1))
    assert entry.release == SECOND


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ANY, [3, 2, 1]),
        (ReleaseFilter(limit=2), [3, 2]),
        (ReleaseFilter(before=3 * SECOND), [2, 1]),
        (ReleaseFilter(since=2.0), [3, 2]),
        (ReleaseFilter(until=2.0), [1]),
        (ReleaseFilter(account="alpha"), [2, 1]),
        (ReleaseFilter(account="nobody"), []),
        (ReleaseFilter(ids=(SECOND, 3 * SECOND, 99)), [3, 1]),
        (ReleaseFilter(ids=(SECOND, 3 * SECOND), account="alpha"), [1]),
        (ReleaseFilter(ids=()), []),
        (ReleaseFilter(domain=("alpha.example", 1)), [2, 1]),
        (ReleaseFilter(domain=("c.example", 2)), [2]),
        (ReleaseFilter(domain=("c.example", 2), account="beta"), []),
        (ReleaseFilter(domain=("unknown.example", 99)), []),
    ],
)
async def test_the_filter_narrows(store: Store, wanted: ReleaseFilter, expected: list[int]) -> None:
    first, second = await hosted(store), await hosted(store, "c.example")
    await asked(store, first, 1)
    for domain_id in (first, second):
        await asked(store, domain_id, 2, target="#alpha", domain="")
    await store.releases.record_release(release(3, account="beta", domain="b.example"), ASKED)
    found = await store.releases.releases(wanted)
    assert [one.record.id // SECOND for one in found] == expected


async def test_the_oldest_go_in_slices(store: Store) -> None:
    domain_ids = [await hosted(store, f"{name}.example") for name in "abc"]
    for number in (1, 2, 3):
        for domain_id in domain_ids:
            await asked(store, domain_id, number)
    assert await store.releases.trim_releases(3.0, 4) == 4
    assert [await store.releases.trim_releases(3.0, 4) for _ in range(2)] == [4, 0]
    [left] = await store.releases.releases(ANY)
    assert (left.record.id, left.progress.drains) == (3 * SECOND, 3)
    # Their drains, which were opened for a release that is forgotten, run on.
    for drain in store.handover.open_drains():
        await store.handover.close_drain(drain, past())


@pytest.mark.parametrize("way", DrainWay)
async def test_the_history_names_the_way_of_the_release(store: Store, way: DrainWay) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id), message(2, domain_id)])
    await store.releases.record_release(release(1, way=way), ASKED)
    drain = await store.handover.open_drain(domain_id, 1.0, 60.0, SECOND, way=way)
    assert isinstance(drain, Drain)
    await store.handover.settle(drain, [delivered(1)])
    await store.queue.delete([2], ASKED)
    entries = await store.history.history(HistoryFilter())
    assert [(one.release, one.way) for one in entries] == [(0, None), (SECOND, way)]
    [found] = await store.releases.releases(ANY)
    assert found.record.way is way
    await store.releases.trim_releases(9e9, 100)
    assert [one.way for one in await store.history.history(HistoryFilter())] == [None, None]
