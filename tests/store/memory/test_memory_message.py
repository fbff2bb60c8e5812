"""One message in memory: each step moves its recipients between held and refused."""

from collections.abc import Callable

import pytest

from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest
from restante.mail.envelope import Envelope
from restante.mail.message import NewMessage
from restante.queue.recipient_status import RecipientMove, RecipientOutcome, RecipientStatus
from restante.store.memory.memory_message import MemoryMessage, handed_out, listed, selects
from restante.store.queue_store import QueueFilter
from tests.contract.making import ANNA, BERT, CARL, CONTENT, message

HELD, REFUSED = RecipientStatus.HELD, RecipientStatus.REFUSED
UNCERTAIN, DAMAGED = RecipientStatus.UNCERTAIN, RecipientStatus.DAMAGED


def record() -> MemoryMessage:
    """A message to three, received at 7: Bert is refused and Carl uncertain, both at 20."""
    new = MemoryMessage(message(7, 1, ANNA, BERT, CARL), [ANNA, BERT, CARL])
    new.settle(RecipientOutcome(BERT, RecipientMove.REFUSED, "550 no"), 20.0)
    new.settle(RecipientOutcome(CARL, RecipientMove.UNCERTAIN, "OK"), 20.0)
    return new


def standing(one: MemoryMessage) -> dict[str, RecipientStatus]:
    """How each recipient stands."""
    return {recipient.forward_path: recipient.status for recipient in one.recipients()}


STEPS: dict[str, tuple[Callable[[MemoryMessage], object], dict[str, RecipientStatus]]] = {
    "nothing": (lambda _one: None, {ANNA: HELD, BERT: REFUSED, CARL: UNCERTAIN}),
    "delivered": (
        lambda one: one.settle(RecipientOutcome(ANNA, RecipientMove.DELIVERED), 30.0),
        {BERT: REFUSED, CARL: UNCERTAIN},
    ),
    "deferred": (
        lambda one: one.settle(RecipientOutcome(ANNA, RecipientMove.DEFERRED, "450"), 30.0),
        {ANNA: HELD, BERT: REFUSED, CARL: UNCERTAIN},
    ),
    "a refused one delivered": (
        lambda one: one.settle(RecipientOutcome(BERT, RecipientMove.DELIVERED), 30.0),
        {ANNA: HELD, BERT: REFUSED, CARL: UNCERTAIN},
    ),
    "damaged": (
        lambda one: one.park("damaged: short"),
        {ANNA: DAMAGED, BERT: REFUSED, CARL: UNCERTAIN},
    ),
    "given up": (lambda one: one.give_up([ANNA, CARL]), {BERT: REFUSED}),
    "all held again": (
        lambda one: one.release_again(40.0, None),
        {ANNA: HELD, BERT: HELD, CARL: HELD},
    ),
    "the uncertain held again": (
        lambda one: one.release_again(40.0, UNCERTAIN),
        {ANNA: HELD, BERT: REFUSED, CARL: HELD},
    ),
    "the damaged held again": (
        lambda one: one.release_again(40.0, DAMAGED),
        {ANNA: HELD, BERT: REFUSED, CARL: UNCERTAIN},
    ),
    "refused expired": (
        lambda one: one.expire(REFUSED, 20.5),
        {ANNA: HELD, CARL: UNCERTAIN},
    ),
    "refused not expired yet": (
        lambda one: one.expire(REFUSED, 20.0),
        {ANNA: HELD, BERT: REFUSED, CARL: UNCERTAIN},
    ),
    "held expired": (
        lambda one: one.expire(HELD, 20.5),
        {BERT: REFUSED, CARL: UNCERTAIN},
    ),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_moves_its_recipients_and_no_others(step: str) -> None:
    do, expected = STEPS[step]
    one = record()
    do(one)
    assert standing(one) == expected


def test_those_who_wait_have_waited_since_one_was_last_parked_or_held_again() -> None:
    one = record()
    assert one.held_since == 20.0
    one.release_again(40.0, REFUSED)
    assert one.held_since == 40.0
    assert MemoryMessage(message(7, 1), [ANNA]).held_since == 7.0


@pytest.mark.parametrize(
    ("notify", "is_told", "is_owed"),
    [
        (Notify.DELAY, False, True),
        (Notify.DELAY, True, False),
        (Notify.SUCCESS, False, False),
    ],
)
def test_word_of_delay_is_owed_until_it_is_told(
    notify: Notify, is_told: bool, is_owed: bool
) -> None:
    dsn = DsnRequest(recipients={ANNA: RecipientRequest(notify, "")})
    new = NewMessage(7, 1, Envelope("bob@example.org", (ANNA,), dsn=dsn), 7.0, CONTENT)
    assert MemoryMessage(new, [ANNA], is_delay_told=is_told).wants_word_of_delay is is_owed


def test_a_listing_and_a_drain_get_the_recipients_that_they_ask_for() -> None:
    one = record()
    refused = listed(one, QueueFilter(status=REFUSED))
    assert [(each.forward_path, each.reply) for each in refused.recipients] == [(BERT, "550 no")]
    assert handed_out(one, (ANNA,)).envelope.forward_paths == (ANNA,)


@pytest.mark.parametrize(
    ("selection", "is_chosen"),
    [
        (QueueFilter(), True),
        (QueueFilter(after=6), True),
        (QueueFilter(after=7), False),
        (QueueFilter(domain_ids=(1, 2)), True),
        (QueueFilter(domain_ids=()), False),
        (QueueFilter(reverse_path="bob@example.org"), True),
        (QueueFilter(reverse_path=""), False),
        (QueueFilter(received_before=7.0), False),
        (QueueFilter(received_before=7.5), True),
        (QueueFilter(larger_than=len(CONTENT)), False),
        (QueueFilter(larger_than=len(CONTENT) - 1), True),
        (QueueFilter(numbers=(7,)), True),
        (QueueFilter(numbers=()), False),
    ],
)
def test_a_selection_takes_a_message_by_its_own_facts(
    selection: QueueFilter, is_chosen: bool
) -> None:
    assert selects(selection, message(7, 1)) is is_chosen
