"""When the outcomes of an attempt end it."""

import ipaddress

import pytest

from restante.delivery.attempt_end import AttemptKind
from restante.delivery.stop_rules import (
    CLIENTS_LIMIT,
    DEFERRED_LIMIT,
    StopRules,
    is_deferred_at_envelope,
    limit_told,
    policy_told,
    refused_by_policy,
)
from restante.mail.reply_status import ReplyStatus, read_reply_status
from restante.queue.broken_destination import BrokenDestinationDetector
from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    TransactionStage,
)
from restante.smtp.passed_client import PassedClient


def deferred(
    reply: str, stage: TransactionStage = TransactionStage.RCPT, *others: RecipientMove
) -> MessageOutcome:
    moves = (RecipientMove.DEFERRED, *others)
    return MessageOutcome(
        1,
        tuple(
            RecipientOutcome("u@b", move, reply, stage, read_reply_status(reply)) for move in moves
        ),
    )


def test_ten_deferred_in_a_row_end_it_with_the_last_reply() -> None:
    rules = StopRules(BrokenDestinationDetector())
    stops = [rules.not_delivered(deferred(f"450 {n}")) for n in range(DEFERRED_LIMIT)]
    assert stops[:-1] == [None] * (DEFERRED_LIMIT - 1)
    assert stops[-1] is not None
    assert stops[-1].kind is AttemptKind.STOPPED
    assert stops[-1].reason.endswith("450 9")


@pytest.mark.parametrize("others", [(RecipientMove.REFUSED,), (RecipientMove.DELIVERED,)])
def test_one_deferred_in_part_begins_the_row_again(others: tuple[RecipientMove, ...]) -> None:
    rules = StopRules(BrokenDestinationDetector())
    for _ in range(DEFERRED_LIMIT - 1):
        rules.not_delivered(deferred("450 later"))
    assert rules.not_delivered(deferred("450 later", TransactionStage.RCPT, *others)) is None
    assert rules.not_delivered(deferred("450 later")) is None


def test_a_delivered_one_begins_the_row_again() -> None:
    rules = StopRules(BrokenDestinationDetector())
    for _ in range(DEFERRED_LIMIT - 1):
        rules.not_delivered(deferred("450 later"))
    rules.delivered()
    assert rules.not_delivered(deferred("450 later")) is None


def test_a_rate_limit_ends_it_at_once() -> None:
    stop = StopRules(BrokenDestinationDetector()).not_delivered(
        deferred("450 slow down", TransactionStage.MAIL)
    )
    assert stop is not None
    assert stop.kind is AttemptKind.LIMITED
    assert "450 slow down" in stop.reason


def test_refusals_of_everything_end_it() -> None:
    rules = StopRules(BrokenDestinationDetector())
    refused = MessageOutcome(
        1,
        (
            RecipientOutcome(
                "u@b", RecipientMove.REFUSED, "554 no", TransactionStage.MAIL, ReplyStatus(554)
            ),
        ),
    )
    stops = [rules.answered(refused, 3) for _ in range(3)]
    assert [stop and stop.kind for stop in stops] == [None, None, AttemptKind.REFUSING]


def client(number: int) -> PassedClient:
    return PassedClient(ipaddress.ip_address(f"198.51.100.{number}"), "h")


def refused(reply: str) -> MessageOutcome:
    status = read_reply_status(reply)
    stage, move = TransactionStage.RCPT, RecipientMove.REFUSED
    return MessageOutcome(1, (RecipientOutcome("u@b", move, reply, stage, status),))


def test_a_rate_limit_for_clients_ends_it_only_if_it_is_for_more_than_twenty() -> None:
    rules, limit = StopRules(BrokenDestinationDetector()), "450 4.7.1 too much mail from you"
    for number in range(CLIENTS_LIMIT):
        for _ in range(3):
            assert rules.not_delivered(deferred(limit), client(number)) is None
    stop = rules.not_delivered(deferred(limit), client(90))
    assert stop is not None
    assert stop.kind is AttemptKind.LIMITED
    rules.delivered()
    assert rules.not_delivered(deferred(limit), client(1)) is None


def test_a_policy_against_clients_is_not_counted_here() -> None:
    rules, policy = StopRules(BrokenDestinationDetector()), "450 4.7.25 cannot find your hostname"
    assert [rules.not_delivered(deferred(policy), client(n)) for n in range(100)] == [None] * 100
    stops = [rules.not_delivered(deferred(policy)) for _ in range(DEFERRED_LIMIT)]
    assert stops[-1] is not None  # in our own name


def test_what_is_not_about_the_client_counts_as_always() -> None:
    rules = StopRules(BrokenDestinationDetector())
    disk = deferred("451 4.3.0 disk", TransactionStage.CONTENT)
    stops = [rules.not_delivered(disk, client(n)) for n in range(10)]
    assert stops[-1] is not None


def test_what_is_client_deferred_at_rcpt_counts_for_each_client_alone() -> None:
    rules, disk = StopRules(BrokenDestinationDetector()), deferred("451 4.3.0 disk")
    for _ in range(DEFERRED_LIMIT - 1):
        assert [rules.not_delivered(disk, client(n)) for n in range(10)] == [None] * 10
    rules.delivered()
    assert rules.not_delivered(disk, client(1)) is None
    stops = [rules.not_delivered(disk, client(1)) for _ in range(DEFERRED_LIMIT - 1)]
    assert stops[:-1] == [None] * (DEFERRED_LIMIT - 2)
    assert stops[-1] is not None
    assert stops[-1].kind is AttemptKind.STOPPED


def test_mail_is_client_deferred_at_its_envelope_by_4xx_for_no_policy_rate_or_mailbox() -> None:
    assert is_deferred_at_envelope(deferred("451 4.3.0 disk"))
    assert is_deferred_at_envelope(deferred("451 4.7.1 Service unavailable"))
    assert is_deferred_at_envelope(deferred("451 4.5.0 odd", TransactionStage.MAIL))
    for reply in ("450 4.7.1 no", "450 4.7.1 too many", "450 4.2.1 mailbox disabled"):
        assert not is_deferred_at_envelope(deferred(reply))
    assert not is_deferred_at_envelope(deferred("451 4.3.0 disk", TransactionStage.DATA))
    assert not is_deferred_at_envelope(
        deferred("451 4.3.0 disk", TransactionStage.RCPT, RecipientMove.REFUSED)
    )


def test_refusals_of_clients_by_policy_are_not_counted_here() -> None:
    rules, listed = StopRules(BrokenDestinationDetector()), refused("554 5.7.1 listed")
    assert [rules.answered(listed, 3, client(number)) for number in range(9)] == [None] * 9
    stops = [rules.answered(listed, 3) for _ in range(3)]  # in our own name
    assert stops[-1] is not None
    assert stops[-1].kind is AttemptKind.REFUSING


def test_a_refusal_by_policy_names_one_for_all_recipients() -> None:
    assert refused_by_policy(refused("554 5.7.1 listed"))
    assert not refused_by_policy(refused("550 5.1.1 nobody"))
    assert not refused_by_policy(refused("554 no"))
    listed, unknown = refused("554 5.7.1 listed"), refused("550 5.1.1 nobody")
    both = listed._replace(recipients=listed.recipients + unknown.recipients)
    assert not refused_by_policy(both)


def test_other_refusals_count_for_each_message() -> None:
    rules = StopRules(BrokenDestinationDetector())
    stops = [rules.answered(refused("554 5.3.0 broken"), 3, client(1)) for _ in range(3)]
    assert stops[-1] is not None


def test_a_limit_is_told_by_its_reply() -> None:
    assert "450 4.7.1 too many" in limit_told(deferred("450 4.7.1 too many"))
    assert limit_told(deferred("450 4.7.1 policy")) == ""


def test_a_policy_is_told_by_its_reply_unless_the_rate_is_limited_too() -> None:
    assert policy_told(deferred("450 4.7.1 no")) == "450 4.7.1 no"
    assert policy_told(deferred("450 4.7.1 too many")) == ""
    assert policy_told(deferred("451 4.3.0 disk")) == ""
    assert policy_told(deferred("450 greylisted")) == "450 greylisted"


def test_a_destination_in_trouble_is_left_alone_although_it_says_4_7_1_to_each_client() -> None:
    rules, down = StopRules(BrokenDestinationDetector()), "451 4.7.1 Service unavailable"
    refused_content = deferred(down, TransactionStage.CONTENT)
    stops = [rules.not_delivered(refused_content, client(n)) for n in range(DEFERRED_LIMIT)]
    assert policy_told(refused_content) == ""
    assert stops[:-1] == [None] * (DEFERRED_LIMIT - 1)
    assert stops[-1] is not None
