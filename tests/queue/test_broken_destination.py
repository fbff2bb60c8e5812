"""Which refusals say that a destination is broken."""

import pytest

from restante.mail.reply_status import read_reply_status
from restante.queue.broken_destination import POLICY_RECIPIENTS, BrokenDestinationDetector
from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    TransactionStage,
)

LIMIT = 3


def refused(
    *replies: str, stage: TransactionStage = TransactionStage.RCPT, to: str = "u"
) -> MessageOutcome:
    recipients = (
        RecipientOutcome(f"{to}{n}@b", RecipientMove.REFUSED, text, stage, read_reply_status(text))
        for n, text in enumerate(replies)
    )
    return MessageOutcome(1, tuple(recipients))


def taken() -> MessageOutcome:
    return MessageOutcome(1, (RecipientOutcome("good@b", RecipientMove.DELIVERED),))


def verdicts(
    outcomes: list[MessageOutcome], refusals: BrokenDestinationDetector | None = None
) -> list[bool]:
    refusals = refusals or BrokenDestinationDetector()
    return [bool(refusals.take(outcome, LIMIT)) for outcome in outcomes]


@pytest.mark.parametrize(
    ("reply", "stage"),
    [
        ("550 5.7.1 no", TransactionStage.RCPT),
        (
            "550 no such user",
            TransactionStage.RCPT,
        ),  # none was accepted: it may say that of everybody
        ("554 5.3.0 no", TransactionStage.CONTENT),
        ("553 5.7.1 no", TransactionStage.MAIL),
        ("550 5.10.1 no", TransactionStage.RCPT),
    ],
)
def test_so_many_in_a_row_stop_the_drain(reply: str, stage: TransactionStage) -> None:
    assert verdicts([refused(reply, stage=stage)] * 4) == [False, False, True, False]


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.1.1 no such user",
        "550-5.1.1 no\n550 5.1.1 really",
        "556 5.1.10 null MX",
        "550 #5.1.0 Address rejected.",
    ],
)
def test_an_addressing_code_concerns_the_recipient(reply: str) -> None:
    assert not any(verdicts([refused(reply)] * 100))


@pytest.mark.parametrize(
    "reply", ["550 no such user", "551 not local", "553 what?", "550 5.7.1 u0 does not want it"]
)
def test_after_an_accepted_one_550_551_and_553_to_rcpt_concern_the_recipient(reply: str) -> None:
    assert not any(verdicts([taken(), *[refused(reply)] * 100]))


@pytest.mark.parametrize(
    ("reply", "stage"),
    [
        ("554 no", TransactionStage.RCPT),
        ("550 no", TransactionStage.CONTENT),
        ("550 no", TransactionStage.MAIL),
    ],
)
def test_others_count_after_an_accepted_one_too(reply: str, stage: TransactionStage) -> None:
    assert verdicts([taken(), *[refused(reply, stage=stage)] * 3])[-1]


def test_a_recipient_whose_content_was_refused_had_been_accepted() -> None:
    content = refused("554 spam", stage=TransactionStage.CONTENT)
    assert not any(verdicts([content, *[refused("550 no such user")] * 100]))


def test_one_that_concerns_the_recipient_leaves_the_row_as_it_is() -> None:
    broken, unknown = refused("554 no"), refused("550 5.1.1 no such user")
    assert verdicts([broken, unknown, broken, unknown, broken]) == [False] * 4 + [True]
    assert not any(verdicts([broken, broken, taken(), broken, broken]))


def test_the_same_said_to_many_recipients_with_none_accepted_is_policy() -> None:
    alike = [refused("550 5.1.1 no such user", to=f"{n}-") for n in range(POLICY_RECIPIENTS)]
    assert verdicts(alike) == [False] * (POLICY_RECIPIENTS - 1) + [True]
    assert not any(verdicts([taken(), *alike]))
    assert not any(verdicts([alike[0]] * 100))  # one recipient
    differing = [refused(f"550 5.1.1 {n}: no such user", to=f"{n}-") for n in range(100)]
    assert not any(verdicts(differing))


def test_replies_that_all_differ_cost_no_more_memory_than_so_much() -> None:
    refusals = BrokenDestinationDetector()
    assert not any(
        verdicts([refused(f"550 5.1.1 {n}: no", to=f"{n}-") for n in range(5000)], refusals)
    )
    assert len(refusals._refused_by_text) <= 1000


def test_an_attempt_begins_the_row_anew_and_remembers_what_was_accepted() -> None:
    refusals = BrokenDestinationDetector()
    assert not any(verdicts([taken(), *[refused("554 no")] * 2], refusals))
    refusals.begin()
    assert not any(
        verdicts([*[refused("554 no")] * 2, *[refused("550 no such user")] * 5], refusals)
    )
