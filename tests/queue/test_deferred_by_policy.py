"""Which deferrals are policies that count, and the outcome once they are too many."""

import pytest

from restante.mail.policy_deferrals import NO_DEFERRALS, PolicyDeferrals
from restante.mail.reply_status import read_reply_status
from restante.queue.deferred_by_policy import (
    counted_outcome,
    counted_refusal_of_client,
    is_by_policy,
)
from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    TransactionStage,
)

MAIL, RCPT = TransactionStage.MAIL, TransactionStage.RCPT
CONTENT = TransactionStage.CONTENT
NO_NAME = "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]"


def said(reply: str, stage: TransactionStage = RCPT, path: str = "b@b.example") -> RecipientOutcome:
    return RecipientOutcome(path, RecipientMove.DEFERRED, reply, stage, read_reply_status(reply))


@pytest.mark.parametrize(
    ("reply", "stage"),
    [
        (NO_NAME, RCPT),
        ("450 4.7.1 <a@a.example>: Sender address rejected: not now", RCPT),
        ("450 4.1.8 <a@a.example>: Sender address rejected: Domain not found", MAIL),
        ("450 4.1.7 <a@a.example>: Sender address rejected: unverified address", RCPT),
        ("451 4.7.1 Greylisting in action", CONTENT),
        ("451 greylisted, come back later", RCPT),
        ("450 rejected because of your reputation", CONTENT),
    ],
)
def test_a_policy_counts(reply: str, stage: TransactionStage) -> None:
    assert is_by_policy(said(reply, stage))


@pytest.mark.parametrize(
    ("reply", "stage"),
    [
        ("450 4.7.1 Error: too much mail from 192.0.2.1", MAIL),
        ("450 4.7.1 <a@a.example>: not now", MAIL),  # a limit of the rate, as far as we know
        ("450 4.7.1 Error: too many recipients from 192.0.2.1", RCPT),
        ("451 4.7.1 Service unavailable - try again later", CONTENT),  # a milter is down
        ("451 4.7.24 SPF: temporary error", RCPT),
        ("451 4.3.5 Server configuration problem", RCPT),
        ("451 4.3.0 Temporary lookup failure", RCPT),
        ("452 4.2.2 mailbox full", RCPT),
        ("450 4.1.1 <b@b.example>: unverified address", RCPT),
        ("452 4.3.1 insufficient system storage", CONTENT),
        ("451 local problem", RCPT),
        ("no reply to RCPT", TransactionStage.NONE),
        ("503 5.5.1 first AUTH", RCPT),  # deferred, as it is about the session
    ],
)
def test_a_destination_that_is_down_or_busy_does_not(reply: str, stage: TransactionStage) -> None:
    assert not is_by_policy(said(reply, stage))


def test_a_refusal_does_not() -> None:
    assert not is_by_policy(said("550 5.7.1 no")._replace(move=RecipientMove.REFUSED))


def test_each_drain_is_counted_and_mail_stays_held_without_a_limit() -> None:
    outcome = MessageOutcome(1, (said(NO_NAME),))
    counted = counted_outcome(outcome, PolicyDeferrals(200, 5), 6, None)
    assert counted == outcome._replace(deferrals=PolicyDeferrals(201, 6))
    assert counted_outcome(outcome, NO_DEFERRALS, 6, 2).deferrals == PolicyDeferrals(1, 6)


def test_a_refusal_of_the_client_counts_in_one_drain_and_never_up_to_a_limit() -> None:
    outcome = MessageOutcome(1, (said("554 5.7.1 listed", TransactionStage.NONE),))
    counted = counted_refusal_of_client(outcome, NO_DEFERRALS, 6, None)
    assert counted == outcome._replace(deferrals=PolicyDeferrals(1, 6))
    for before in (PolicyDeferrals(1, 5), PolicyDeferrals(1, 6), PolicyDeferrals(9, 5)):
        assert counted_refusal_of_client(outcome, before, 6, None) is outcome
    assert counted_refusal_of_client(outcome, NO_DEFERRALS, 6, 2) is outcome


def test_an_outcome_without_a_policy_is_the_same() -> None:
    outcome = MessageOutcome(1, (said("452 4.2.2 mailbox full"),))
    assert counted_outcome(outcome, PolicyDeferrals(9, 5), 6, 2) is outcome


def test_at_the_limit_those_recipients_are_refused_with_the_reply() -> None:
    full = said("452 4.2.2 mailbox full", path="full@b.example")
    taken = RecipientOutcome("c@b.example", RecipientMove.DELIVERED, "250 ok")
    outcome = MessageOutcome(1, (said(NO_NAME), full, taken))
    before = PolicyDeferrals(1, 5)
    assert counted_outcome(outcome, before, 5, 2).recipients == outcome.recipients
    parked = counted_outcome(outcome, before, 6, 2)
    assert parked.recipients == (said(NO_NAME)._replace(move=RecipientMove.REFUSED), full, taken)
    assert parked.deferrals == PolicyDeferrals(2, 6)
