"""Recording the outcomes of recipients: the four moves, alone and together, and permissions."""

import pytest

from restante.mail.message import HeldMessage
from restante.mail.policy_deferrals import PolicyDeferrals
from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    RecipientStatus,
)
from restante.store.figure_store import NO_USAGE, DomainUsage, SetApart
from restante.store.handover_store import Drain
from restante.store.interface import Store
from restante.store.queue_store import QueueFilter
from restante.store.store_errors import LeaseLost
from tests.contract.conftest import WITH_SEALED
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
    taken_over,
    waiting,
)

SIZE = len(CONTENT)
POLICY = "450 4.7.1 not now"


@pytest.fixture(params=WITH_SEALED)
def implementation(request: pytest.FixtureRequest) -> str:
    """Which store."""
    return str(request.param)


async def one_held(store: Store, *to: str) -> Drain:
    """Message 1, to these, and a drain of its domain."""
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, *to)])
    return await opened(store, domain_id, 0.0, 60.0)


async def statuses(store: Store, number: int = 1) -> dict[str, tuple[RecipientStatus, str]]:
    """A listing's view of a message's recipients."""
    listed = await store.queue.list_queue(QueueFilter(numbers=(number,)))
    return {
        one.forward_path: (one.status, one.reply) for found in listed for one in found.recipients
    }


async def test_a_message_delivered_to_all_is_gone(store: Store) -> None:
    drain = await one_held(store, ANNA, BERT)
    await store.handover.settle(drain, [delivered(1, ANNA, BERT)])
    assert await store.queue.message(1) is None
    assert store.figures.usage(drain.domain_id) == NO_USAGE


async def test_the_order_of_recipients_does_not_matter(store: Store) -> None:
    drain = await one_held(store, ANNA, BERT)
    await store.handover.settle(drain, [delivered(1, BERT, ANNA)])
    assert await store.queue.message(1) is None


async def test_many_are_settled_at_once(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, *range(1, 101))
    drain = await opened(store, domain_id, 0.0, 60.0)
    await store.handover.settle(drain, [delivered(number) for number in range(64, 0, -1)])
    assert await held_numbers(store, domain_id) == list(range(65, 101))
    assert store.figures.usage(domain_id) == DomainUsage(36, 36 * SIZE)


async def test_a_recipient_delivered_leaves_the_others_held(store: Store) -> None:
    drain = await one_held(store, ANNA, BERT, CARL)
    await store.handover.settle(drain, [delivered(1, BERT)])
    assert await waiting(store, 1) == (ANNA, CARL)
    assert store.figures.usage(drain.domain_id) == DomainUsage(1, SIZE)


async def test_two_parts_of_one_message_settled_together_are_the_whole(store: Store) -> None:
    """A destination that takes few recipients at a time gets a message in several transactions."""
    drain = await one_held(store, ANNA, BERT)
    await store.handover.settle(drain, [delivered(1, ANNA), delivered(1, BERT)])
    assert await store.queue.message(1) is None
    assert store.figures.usage(drain.domain_id) == NO_USAGE


async def test_a_recipient_deferred_stays_held_and_its_reply_is_known(store: Store) -> None:
    drain = await one_held(store, ANNA, BERT)
    await store.handover.settle(drain, [deferred(1, ANNA, reply="452 4.2.2 mailbox full")])
    assert await waiting(store, 1) == (ANNA, BERT)
    assert await statuses(store) == {
        ANNA: (RecipientStatus.HELD, "452 4.2.2 mailbox full"),
        BERT: (RecipientStatus.HELD, ""),
    }


async def test_only_the_last_reply_is_kept(store: Store) -> None:
    drain = await one_held(store)
    await store.handover.settle(drain, [deferred(1, reply="450 first")])
    await store.handover.settle(drain, [deferred(1, reply="451 second")])
    assert await statuses(store) == {ANNA: (RecipientStatus.HELD, "451 second")}


async def test_attempts_are_counted_with_the_time_of_the_last(store: Store) -> None:
    drain = await one_held(store, ANNA, BERT)
    for at in (10.0, 20.5):
        await store.handover.settle(drain, [deferred(1, ANNA)], at=at)
    [found] = await store.queue.list_queue(QueueFilter(numbers=(1,)))
    assert [(one.forward_path, one.tried_at, one.attempts) for one in found.recipients] == [
        (ANNA, 20.5, 2),
        (BERT, None, 0),
    ]
    await store.handover.settle(drain, [refused(1, ANNA)], at=30.0)
    await store.queue.release_refused([1], NOTED)
    [found] = await store.queue.list_queue(QueueFilter(numbers=(1,), recipient=ANNA))
    assert [(one.tried_at, one.attempts) for one in found.recipients] == [(30.0, 3)]


async def test_a_message_that_was_deferred_is_gone_when_it_is_delivered(store: Store) -> None:
    drain = await one_held(store)
    await store.handover.settle(drain, [deferred(1)])
    await store.handover.settle(drain, [delivered(1)])
    assert await store.queue.message(1) is None
    assert store.figures.usage(drain.domain_id) == NO_USAGE


async def test_a_recipient_refused_is_parked_with_the_reply(store: Store) -> None:
    drain = await one_held(store, ANNA, BERT)
    await store.handover.settle(drain, [refused(1, ANNA, reply="550 5.1.1 nobody here")])
    assert await waiting(store, 1) == (BERT,)
    assert await statuses(store) == {
        ANNA: (RecipientStatus.REFUSED, "550 5.1.1 nobody here"),
        BERT: (RecipientStatus.HELD, ""),
    }
    assert store.figures.usage(drain.domain_id) == DomainUsage(1, SIZE, refused=0)


async def test_a_message_all_refused_counts_as_refused_and_not_as_held(store: Store) -> None:
    drain = await one_held(store, ANNA, BERT)
    await store.handover.settle(drain, [refused(1, ANNA, BERT)])
    usage = store.figures.usage(drain.domain_id)
    assert usage == DomainUsage(1, SIZE, refused=1)
    assert usage.held == 0
    assert await held_numbers(store, drain.domain_id) == []


async def test_delivering_the_rest_leaves_a_refused_message(store: Store) -> None:
    drain = await one_held(store, ANNA, BERT)
    await store.handover.settle(drain, [refused(1, ANNA)])
    await store.handover.settle(drain, [delivered(1, BERT)])
    assert await statuses(store) == {ANNA: (RecipientStatus.REFUSED, "550 5.1.1 no such user")}
    assert store.figures.usage(drain.domain_id) == DomainUsage(1, SIZE, refused=1)


async def test_one_outcome_can_hold_all_three_moves(store: Store) -> None:
    drain = await one_held(store, ANNA, BERT, CARL)
    outcome = MessageOutcome(
        1,
        (
            *delivered(1, ANNA).recipients,
            *refused(1, BERT).recipients,
            *deferred(1, CARL).recipients,
        ),
    )
    await store.handover.settle(drain, [outcome])
    assert {path: status for path, (status, _) in (await statuses(store)).items()} == {
        BERT: RecipientStatus.REFUSED,
        CARL: RecipientStatus.HELD,
    }


async def test_whole_and_partial_outcomes_are_settled_together(store: Store) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(number, domain_id, ANNA, BERT) for number in range(1, 6)])
    drain = await opened(store, domain_id, 0.0, 60.0)
    await store.handover.settle(
        drain,
        [
            delivered(1, ANNA, BERT),
            delivered(2, ANNA),
            refused(3, ANNA, BERT),
            deferred(4, ANNA, BERT),
            delivered(5, ANNA, BERT),
        ],
    )
    assert await held_numbers(store, domain_id) == [2, 4]
    assert await waiting(store, 2) == (BERT,)
    assert store.figures.usage(domain_id) == DomainUsage(3, 3 * SIZE, refused=1)


async def test_outcomes_of_deleted_mail_are_passed_over(store: Store) -> None:
    drain = await one_held(store, ANNA, BERT)
    await store.queue.delete([1], NOTED)
    await store.handover.settle(drain, [delivered(1, ANNA, BERT), refused(2), deferred(3)])
    assert store.figures.usages() == {}


async def test_a_recipient_settled_once_is_settled(store: Store) -> None:
    drain = await one_held(store, ANNA, BERT)
    await store.handover.settle(drain, [delivered(1, ANNA)])
    await store.handover.settle(drain, [refused(1, ANNA), delivered(1, "nobody@alpha.example")])
    assert await statuses(store) == {BERT: (RecipientStatus.HELD, "")}


async def test_a_refused_recipient_is_not_delivered_before_it_is_released_again(
    store: Store,
) -> None:
    drain = await one_held(store)
    await store.handover.settle(drain, [refused(1)])
    await store.handover.settle(drain, [delivered(1)])
    assert (await statuses(store))[ANNA][0] is RecipientStatus.REFUSED


async def test_an_outcome_without_recipients_changes_nothing(store: Store) -> None:
    drain = await one_held(store)
    await store.handover.settle(drain, [MessageOutcome(1, ())])
    assert await waiting(store, 1) == (ANNA,)


async def test_a_recipient_named_twice_is_settled_once(store: Store) -> None:
    drain = await one_held(store, ANNA, ANNA)
    await store.handover.settle(drain, [delivered(1, ANNA)])
    assert await store.queue.message(1) is None


async def test_another_domains_message_is_not_touched(store: Store) -> None:
    beta = await hosted(store, "beta.example")
    await hold(store, beta, 1)
    alpha = await hosted(store, "alpha.example")
    drain = await opened(store, alpha, 0.0, 60.0)
    await store.handover.settle(drain, [delivered(1), refused(1)])
    assert await held_numbers(store, beta) == [1]


@pytest.mark.parametrize("move", [RecipientMove.DEFERRED, RecipientMove.REFUSED])
async def test_a_reply_that_is_no_valid_text_does_not_stop_the_settling(
    store: Store, move: RecipientMove
) -> None:
    """Its octets are a stranger's: failing here would hand the message over repeatedly."""
    drain = await one_held(store)
    await store.handover.settle(
        drain, [MessageOutcome(1, (RecipientOutcome(ANNA, move, "550 \udcff no"),))]
    )
    assert (await statuses(store))[ANNA][0] is (
        RecipientStatus.REFUSED if move is RecipientMove.REFUSED else RecipientStatus.HELD
    )


async def test_a_drain_that_was_taken_over_settles_nothing(store: Store) -> None:
    earlier = await one_held(store)
    later = await taken_over(store, earlier)
    with pytest.raises(LeaseLost):
        await store.handover.settle(earlier, [delivered(1)])
    assert await waiting(store, 1) == (ANNA,)
    await store.handover.settle(later, [delivered(1)])


async def test_nothing_is_settled_under_a_closed_drain(store: Store) -> None:
    drain = await one_held(store)
    await store.handover.close_drain(drain)
    with pytest.raises(LeaseLost):
        await store.handover.settle(drain, [delivered(1)])


async def test_nothing_is_settled_for_a_domain_that_is_gone(store: Store) -> None:
    drain = await opened(store, await hosted(store), 0.0, 60.0)
    await store.records.remove_domain(drain.domain_id, NOTED)
    with pytest.raises(LeaseLost):
        await store.handover.settle(drain, [delivered(1)])


async def test_suspect_mail_is_handed_over_last(store: Store) -> None:
    alpha, beta = await hosted(store), await hosted(store, "beta.example")
    mails = [message(number, alpha) for number in range(1, 7)] + [message(7, beta)]
    suspects = {1, 4, 6, 7}
    await store.reception.hold(
        [
            one._replace(envelope=one.envelope._replace(is_suspect=one.number in suspects))
            for one in mails
        ]
    )
    for limit in (1, 2, 4, 100):
        found: list[HeldMessage] = []
        while page := await store.handover.held(
            alpha, found[-1].place if found else 0, limit, 2**40
        ):
            found += page
        assert [one.number for one in found] == [2, 3, 5, 1, 4, 6]
        assert [one.envelope.is_suspect for one in found] == [False] * 3 + [True] * 3
    await store.handover.settle(await opened(store, alpha), [delivered(1), delivered(2)])
    left = await store.handover.held(alpha, 0, 100, 2**40)
    assert [one.number for one in left] == [3, 5, 4, 6]


def by_policy(number: int, drains: int, mark: int, move: RecipientMove) -> MessageOutcome:
    """Return the outcome of a message to Anna that a policy has deferred in so many drains."""
    return MessageOutcome(
        number, (RecipientOutcome(ANNA, move, POLICY),), deferrals=PolicyDeferrals(drains, mark)
    )


async def order(store: Store, domain_id: int, mark: int) -> list[int]:
    """Return the numbers of held mail in the order of the drain with a mark, read in pages."""
    found: list[HeldMessage] = []
    while page := await store.handover.held(
        domain_id, found[-1].place if found else 0, 2, 2**40, mark=mark
    ):
        found += page
    assert all(one.was_deferred is one.deferrals.is_before(mark) for one in found)
    return [one.number for one in found]


async def test_mail_deferred_by_a_policy_is_handed_over_last_by_the_drains_that_follow(
    store: Store,
) -> None:
    alpha, beta = await hosted(store), await hosted(store, "beta.example")
    suspects = {2, 3}
    mails = [message(number, alpha) for number in range(1, 7)] + [message(7, beta)]
    await store.reception.hold(
        [
            one._replace(envelope=one.envelope._replace(is_suspect=one.number in suspects))
            for one in mails
        ]
    )
    assert await order(store, alpha, 5) == [1, 4, 5, 6, 2, 3]
    drain = await opened(store, alpha)
    some = [by_policy(number, 1, 5, RecipientMove.DEFERRED) for number in (1, 2, 5)]
    await store.handover.settle(drain, [*some, deferred(4, ANNA)])
    assert await order(store, alpha, 5) == [1, 4, 5, 6, 2, 3], "no message changes its place"
    assert await order(store, alpha, 6) == [4, 6, 3, 1, 2, 5]
    await store.handover.settle(drain, [by_policy(1, 2, 6, RecipientMove.DEFERRED), delivered(2)])
    assert await order(store, alpha, 6) == [4, 6, 3, 1, 5]
    listed = await store.queue.list_queue(QueueFilter(domain_ids=(alpha,)))
    assert [one.policy_deferrals for one in listed] == [2, 0, 0, 1, 0]
    assert await store.figures.set_apart() == {alpha: SetApart(deferred_by_policy=2)}
    assert await store.figures.set_apart([beta]) == {}


async def test_parked_mail_keeps_its_count_until_it_is_released_again(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2)
    drain = await opened(store, domain_id)
    outcomes = [by_policy(number, 255, 16383, RecipientMove.REFUSED) for number in (1, 2)]
    await store.handover.settle(drain, [outcomes[0], deferred(2, ANNA)])
    [first, second] = await store.queue.list_queue(QueueFilter())
    assert (first.policy_deferrals, second.policy_deferrals) == (255, 0)
    assert await statuses(store) == {ANNA: (RecipientStatus.REFUSED, POLICY)}
    assert await store.figures.set_apart() == {}, "it is refused, and waits no more"
    assert await store.queue.release_refused([1], NOTED) == 1
    [first, _] = await store.queue.list_queue(QueueFilter())
    assert first.policy_deferrals == 0
    assert await order(store, domain_id, 16383) == [1, 2]


async def test_mail_in_delivery_keeps_its_place_when_a_refused_recipient_is_held_again(
    store: Store,
) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, ANNA, BERT), message(2, domain_id)])
    outcome = by_policy(1, 1, 5, RecipientMove.DEFERRED)
    refusal = RecipientOutcome(BERT, RecipientMove.REFUSED, POLICY)
    partly = outcome._replace(recipients=(*outcome.recipients, refusal))
    await store.handover.settle(await opened(store, domain_id), [partly])
    assert await order(store, domain_id, 6) == [2, 1]
    assert await store.queue.release_refused([1], NOTED) == 1
    assert await order(store, domain_id, 6) == [2, 1]
    [first, _] = await store.queue.list_queue(QueueFilter())
    assert first.policy_deferrals == 1
