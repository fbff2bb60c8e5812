"""Drains on record: one for a domain, numbered, joined, taken over, stopped and closed."""

import asyncio
from dataclasses import asdict, replace
from math import inf
from typing import Any

import pytest

from restante.queue.drain_word import DrainEnd, DrainWay
from restante.store.handover_store import Drain, DrainRequests, JoinedDrain, PastDrain
from restante.store.interface import Store
from restante.store.postgres.cluster_node import LEASE
from restante.store.store_errors import Conflict, LeaseLost
from tests.contract.making import (
    NOTED,
    deferred,
    delivered,
    held_numbers,
    hold,
    hosted,
    is_sealed,
    opened,
    refused,
    taken_over,
)


async def test_a_drain_is_recorded_until_it_is_closed(store: Store) -> None:
    domain_id = await hosted(store)
    drain = await opened(store, domain_id, 10.5, 70.5)
    assert (drain.domain_id, drain.requested_at, drain.deadline) == (domain_id, 10.5, 70.5)
    assert store.handover.open_drains() == [drain]
    await store.handover.close_drain(drain)
    assert store.handover.open_drains() == []


async def test_a_drain_keeps_its_way_while_it_is_joined_and_taken_over(store: Store) -> None:
    domain_id = await hosted(store)
    handover = store.handover
    drain = await handover.open_drain(domain_id, 1.0, 2.0, way=DrainWay.TURNAROUND)
    assert isinstance(drain, Drain)
    joined = await handover.open_drain(domain_id, 3.0, 9.0)
    assert isinstance(joined, JoinedDrain)
    taken = await taken_over(store, drain)
    assert (drain.way, joined.drain.way, taken.way) == (DrainWay.TURNAROUND,) * 3
    assert [one.way for one in handover.open_drains()] == [DrainWay.TURNAROUND]
    await handover.close_drain(taken)
    assert (await opened(store, domain_id, 1.0, 2.0)).way is DrainWay.DESTINATION


def past(**fields: Any) -> PastDrain:
    return PastDrain(
        **{
            **asdict(
                PastDrain(
                    1.5,
                    2.5,
                    "operator",
                    DrainEnd.GIVEN_UP,
                    "why",
                    3,
                    4,
                    5,
                    "421 bye",
                    6,
                    "b.example:25",
                )
            ),
            **fields,
        }
    )


async def test_how_the_last_drain_of_each_domain_went_is_kept(store: Store) -> None:
    first, second = await hosted(store), await hosted(store, "c.example")
    assert await store.handover.past_drains() == {}
    drain = await opened(store, first, 1.0, 60.0)
    await store.handover.close_drain(drain, past())
    await store.handover.close_drain(
        await opened(store, second, 1.0, 60.0)
    )  # nothing is known of how it went
    assert await store.handover.past_drains() == {first: past()}
    assert await store.handover.past_drains([second, first]) == {first: past()}
    assert await store.handover.past_drains([second]) == {}
    later = await opened(store, first, 1.0, 60.0)
    assert await store.handover.past_drains() == {first: past()}  # while the next one runs, too
    await store.handover.close_drain(drain, past(reason="of one that lost its lease"))
    assert await store.handover.past_drains() == {first: past()}
    await store.handover.close_drain(later, past(end="finished"))
    assert await store.handover.past_drains() == {first: past(end="finished")}
    await store.records.remove_domain(first, NOTED)
    assert await store.handover.past_drains() == {}


async def test_a_drain_taken_over_has_a_higher_number(store: Store) -> None:
    domain_id = await hosted(store)
    earlier = await opened(store, domain_id, 1.0, 60.0)
    later = await taken_over(store, earlier)
    assert later == replace(earlier, number=later.number)
    assert later.number > earlier.number
    assert store.handover.open_drains() == [later]
    assert await store.handover.take_over(earlier) is None  # somebody was faster
    await store.handover.close_drain(later)
    assert await store.handover.take_over(later) is None  # it is over


async def test_a_drain_keeps_who_asked_first(store: Store) -> None:
    domain_id = await hosted(store)
    drain = await store.handover.open_drain(domain_id, 1.0, 60.0, requested_by="login alice")
    assert isinstance(drain, Drain)
    joined = await store.handover.open_drain(domain_id, 2.0, 70.0, requested_by="operator")
    assert isinstance(joined, JoinedDrain)
    taken = await taken_over(store, joined.drain)
    assert {drain.requested_by, joined.drain.requested_by, taken.requested_by} == {"login alice"}


async def test_a_drain_that_is_open_is_joined(store: Store) -> None:
    """Nobody is fenced off by a request; the owner reads of it."""
    domain_id = await hosted(store)
    drain = await opened(store, domain_id, 1.0, 60.0)
    assert await store.handover.asked([drain]) == []
    joined = await store.handover.open_drain(domain_id, 2.0, 120.0)
    assert joined == JoinedDrain(replace(drain, deadline=120.0), times=1)
    assert await store.handover.open_drain(domain_id, 3.0, 90.0) == replace(joined, times=2)
    assert await store.handover.asked([drain]) == [DrainRequests(domain_id, 2, 120.0, "")]
    await store.handover.settle(drain, [])
    later = await taken_over(store, drain)
    assert (later.requested_at, later.deadline) == (1.0, 120.0)
    assert await store.handover.asked([later]) == []  # it begins again in any case
    await store.handover.close_drain(later)
    assert await opened(store, domain_id, 5.0, 65.0) not in (drain, later)


async def test_requests_at_the_same_moment_open_one_drain(store: Store) -> None:
    domain_id = await hosted(store)
    answers = await asyncio.gather(
        *(store.handover.open_drain(domain_id, 1.0, 60.0) for _ in range(5))
    )
    assert [type(one) for one in answers] == [
        Drain,
        JoinedDrain,
        JoinedDrain,
        JoinedDrain,
        JoinedDrain,
    ]
    assert store.handover.open_drains() == answers[:1]


async def test_a_drain_can_be_stopped_through_the_store(store: Store) -> None:
    domain_id = await hosted(store)
    assert await store.handover.ask_stop(domain_id, "no more") is False
    drain = await opened(store, domain_id, 1.0, 60.0)
    assert await store.handover.ask_stop(domain_id, "no more") is True
    assert await store.handover.asked([drain]) == [DrainRequests(domain_id, 0, 60.0, "no more")]
    later = await taken_over(store, drain)
    assert await store.handover.asked([later]) == [DrainRequests(domain_id, 0, 60.0, "no more")]
    await store.handover.open_drain(domain_id, 2.0, 120.0)  # a later request lets it go on
    assert await store.handover.asked([later]) == [DrainRequests(domain_id, 1, 120.0, "")]


async def test_an_owner_reads_that_its_drain_is_lost(store: Store) -> None:
    alpha, beta = await hosted(store), await hosted(store, "c.example")
    drains = [await opened(store, alpha, 1.0, 60.0), await opened(store, beta, 2.0, 60.0)]
    later = await taken_over(store, drains[0])
    assert await store.handover.asked([*drains, later]) == [
        DrainRequests(alpha, 0, 60.0, "", is_lost=True)
    ]
    await store.handover.close_drain(later)
    assert await store.handover.asked([later]) == [DrainRequests(alpha, 0, 60.0, "", is_lost=True)]
    assert await store.handover.asked([]) == []


async def test_claimable_are_the_drains_that_nobody_runs(store: Store) -> None:
    alpha, beta = await hosted(store), await hosted(store, "c.example")
    of_alpha, of_beta = await opened(store, alpha, 1.0, 60.0), await opened(store, beta, 2.0, 60.0)
    assert await store.handover.claimable_drains([of_alpha, of_beta]) == []
    assert await store.handover.claimable_drains([of_beta]) == [of_alpha]
    later = await taken_over(store, of_alpha)
    assert await store.handover.claimable_drains([of_alpha, of_beta]) == [later]
    await store.handover.close_drain(later)
    assert await store.handover.claimable_drains([]) == [of_beta]


async def test_a_drain_that_is_given_back_stays_open_until_another_has_it(store: Store) -> None:
    drain = await opened(store, await hosted(store), 1.0, 60.0)
    await store.handover.give_back([drain])
    assert await store.handover.claimable_drains([]) == [drain]
    assert await store.handover.asked([drain]) == []
    later = await taken_over(store, drain)
    await store.handover.give_back([drain])  # another's by now
    assert await store.handover.claimable_drains([later]) == []
    await store.handover.close_drain(later)
    await store.handover.give_back([later, drain])  # over
    await store.handover.give_back([])
    assert await store.handover.claimable_drains([]) == []


async def test_a_store_of_one_process_is_never_away_nor_are_its_drains_anothers(
    store: Store, implementation: str
) -> None:
    assert store.upkeep.absence == ""
    if implementation == "postgres":  # others may share it: the lease begins with a heartbeat
        assert 0 < store.handover.lease_left() <= LEASE
    else:
        assert store.handover.lease_left() == inf


async def test_whether_a_domain_drains_is_known_at_once(store: Store) -> None:
    domain_id = await hosted(store)
    assert not store.handover.is_draining(domain_id)
    drain = await opened(store, domain_id, 1.0, 60.0)
    assert store.handover.is_draining(domain_id)
    assert not store.handover.is_draining(domain_id + 1)
    await store.handover.close_drain(drain)
    assert not store.handover.is_draining(domain_id)
    await opened(store, domain_id, 1.0, 60.0)
    await store.records.remove_domain(domain_id, NOTED)
    assert not store.handover.is_draining(domain_id)


async def test_closing_a_drain_that_was_taken_over_does_nothing(store: Store) -> None:
    domain_id = await hosted(store)
    earlier = await opened(store, domain_id, 1.0, 60.0)
    later = await taken_over(store, earlier)
    await store.handover.close_drain(earlier)
    assert store.handover.open_drains() == [later]
    await store.handover.settle(later, [])


async def test_a_drain_finishes_only_when_no_mail_waits_for_it(store: Store) -> None:
    domain_id, other = await hosted(store), await hosted(store, "c.example")
    drain = await opened(store, domain_id, 1.0, 60.0)
    await hold(store, domain_id, 1, 2)
    await hold(store, other, 3)
    await store.handover.settle(drain, [delivered(1)])
    assert await store.handover.finish_drain(drain, past=past(end="finished")) is False
    assert (store.handover.open_drains(), await store.handover.past_drains()) == ([drain], {})
    await store.handover.settle(drain, [refused(2)])  # not held any more: it waits for a person
    assert await store.handover.finish_drain(drain, past=past(end="finished")) is True
    assert store.handover.open_drains() == []
    assert await store.handover.past_drains() == {domain_id: past(end="finished")}
    with pytest.raises(LeaseLost):
        await store.handover.settle(drain, [])


async def test_mail_that_was_tried_and_left_behind_keeps_no_drain_open(store: Store) -> None:
    domain_id = await hosted(store)
    drain = await opened(store, domain_id, 1.0, 60.0)
    await hold(store, domain_id, 1, 2)
    await store.handover.settle(drain, [deferred(1)])
    assert await store.handover.finish_drain(drain, 1) is False  # the second came meanwhile
    assert await store.handover.finish_drain(drain, 2) is True


async def test_refused_mail_that_is_released_keeps_a_drain_open(store: Store) -> None:
    """It stands before the cursor of a drain that has passed it."""
    domain_id = await hosted(store)
    drain = await opened(store, domain_id, 1.0, 60.0)
    await hold(store, domain_id, 1)
    await store.handover.settle(drain, [refused(1)])
    await store.queue.release_refused([1], NOTED)
    assert await store.handover.finish_drain(drain) is False


async def test_nobody_finishes_a_drain_that_another_has(store: Store) -> None:
    domain_id = await hosted(store)
    earlier = await opened(store, domain_id, 1.0, 60.0)
    later = await taken_over(store, earlier)
    with pytest.raises(LeaseLost):
        await store.handover.finish_drain(earlier)
    assert store.handover.open_drains() == [later]


async def test_mail_held_beside_the_end_of_a_drain_is_before_or_after_it(
    store: Store, implementation: str
) -> None:
    """Both in one transaction, maybe: the first one counts. With several writers, any may be.

    With sealing, the key of the domain is made first.
    """
    domain_id = await hosted(store)
    drain = await opened(store, domain_id, 1.0, 60.0)
    _, is_end = await asyncio.gather(hold(store, domain_id, 1), store.handover.finish_drain(drain))
    assert (await held_numbers(store, domain_id), is_end) == (
        [1],
        not store.handover.is_draining(domain_id),
    )
    if implementation == "postgres" or is_sealed(store):
        return
    assert is_end is False
    await store.handover.settle(drain, [delivered(1)])
    is_end, _ = await asyncio.gather(store.handover.finish_drain(drain), hold(store, domain_id, 2))
    assert is_end is True
    assert await held_numbers(store, domain_id) == [2]


async def test_a_number_never_comes_back(store: Store) -> None:
    """Or who was fenced off long ago could settle under somebody else's drain."""
    domain_id = await hosted(store)
    numbers = []
    for _ in range(3):
        drain = await opened(store, domain_id, 1.0, 60.0)
        numbers.append(drain.number)
        await store.handover.close_drain(drain)
        await store.handover.close_drain(drain)
    assert numbers == sorted(set(numbers))


async def test_each_domain_has_its_drain_and_it_goes_with_the_domain(store: Store) -> None:
    alpha, beta = await hosted(store, "alpha.example"), await hosted(store, "beta.example")
    of_alpha, of_beta = (
        await opened(store, alpha, 1.0, 60.0),
        await opened(store, beta, 1.0, 60.0),
    )
    assert store.handover.open_drains() == [of_alpha, of_beta]
    await store.records.remove_domain(alpha, NOTED)
    assert store.handover.open_drains() == [of_beta]


async def test_a_domain_that_is_gone_has_no_drain(store: Store) -> None:
    with pytest.raises(Conflict):
        await opened(store, 77, 1.0, 60.0)


async def test_opening_a_drain_touches_no_mail(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    await store.handover.close_drain(await opened(store, domain_id, 1.0, 60.0))
    assert await held_numbers(store, domain_id) == [1]


async def named(store: Store, domain_id: int, **fields: Any) -> Drain | JoinedDrain:
    """Ask for named messages of a domain."""
    return await store.handover.open_drain(domain_id, 1.0, 60.0, way=DrainWay.MESSAGES, **fields)


async def test_a_drain_of_named_messages_finishes_while_other_mail_is_held(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2)
    drain = await named(store, domain_id)
    assert isinstance(drain, Drain)
    later = await taken_over(store, drain)
    assert later.way is drain.way is DrainWay.MESSAGES
    await store.handover.settle(later, [delivered(1)])
    assert await store.handover.finish_drain(later) is True
    assert await held_numbers(store, domain_id) == [2]


async def test_no_request_for_named_messages_is_lost_at_the_end_of_a_drain(store: Store) -> None:
    domain_id = await hosted(store)
    drain = await named(store, domain_id)
    assert isinstance(drain, Drain)
    joined = await named(store, domain_id)
    assert joined == JoinedDrain(drain, 1)
    assert await store.handover.finish_drain(drain) is False  # it does not know of the second
    [asked] = await store.handover.asked([drain])
    assert (asked.times, asked.way) == (1, DrainWay.MESSAGES)
    assert await store.handover.finish_drain(drain, 0, None, asked.times) is True


async def test_a_request_for_all_mail_widens_a_drain_of_named_messages(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2)
    drain = await named(store, domain_id)
    assert isinstance(drain, Drain)
    joined = await store.handover.open_drain(domain_id, 2.0, 60.0)
    assert isinstance(joined, JoinedDrain)
    assert joined.drain.way is DrainWay.DESTINATION
    assert (await store.handover.asked([drain]))[0].way is DrainWay.DESTINATION
    await store.handover.settle(drain, [delivered(1)])
    assert await store.handover.finish_drain(drain, 0, None, 1) is False
    assert (await taken_over(store, drain)).way is DrainWay.DESTINATION


async def test_named_messages_join_a_drain_of_all_mail(store: Store) -> None:
    domain_id = await hosted(store)
    drain = await opened(store, domain_id, 1.0, 60.0)
    assert await named(store, domain_id) == JoinedDrain(drain, 1)


@pytest.mark.parametrize("way", [DrainWay.TURNAROUND, DrainWay.DESTINATION])
async def test_named_messages_join_no_turnaround_and_no_drain_that_is_to_stop(
    store: Store, way: DrainWay
) -> None:
    """A drain of all mail would follow, or go on."""
    domain_id = await hosted(store)
    drain = await store.handover.open_drain(domain_id, 1.0, 60.0, way=way)
    assert isinstance(drain, Drain)
    if way is DrainWay.DESTINATION:
        await store.handover.ask_stop(domain_id, "no more")
    with pytest.raises(Conflict):
        await named(store, domain_id)
    asked = await store.handover.asked([drain])
    assert [one.times for one in asked] == [0] * len(asked)
    assert [one.stop for one in asked] == ["no more"] * len(asked)
