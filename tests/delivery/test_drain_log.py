"""The log lines and counts of a drain: one line for each message, recipient and connection."""

import ipaddress
from typing import Any

import pytest

from restante.background.clocks import Clocks
from restante.delivery.attempt_end import AttemptKind
from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.delivery_tally import DeliveryTally
from restante.delivery.drain_log import DrainLog
from restante.delivery.link_plan import ConnectionEnd, EndKind, LinkPlan, SendingManner
from restante.delivery.route import Endpoint
from restante.mail.reply_status import read_reply_status
from restante.queue.deferral_cause import DeferralCause
from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    TransactionStage,
)
from restante.smtp.handshake import ClientOptions
from restante.telemetry.events import (
    AttemptEnded,
    DeliveryAttempt,
    DeliveryDeferred,
    DeliveryRefused,
    DeliveryUncertain,
    Event,
    MessageDelivered,
)
from restante.tenancy.model import TlsUse
from tests.log_lines import Lines
from tests.smtp.client_talk import mail

PLACE = {"domain": "b.example", "destination": "p.example:25"}
MESSAGE_ID = "<1@example.org>"
NAMED = {"message": "11", "message_id": MESSAGE_ID}
QUEUED = "250 2.0.0 queued as 4711"


class Scene:
    def __init__(self) -> None:
        self.log = Lines()
        self.now = 1000.0
        self.drain_log = DrainLog(
            self.log, "b.example", "p.example:25", Clocks(lambda: self.now, lambda: self.now)
        )

    def record(self, *recipients: RecipientOutcome) -> RecipientMove:
        message = mail(33)._replace(message_id=MESSAGE_ID)
        return self.drain_log.record(message, MessageOutcome(33, recipients), QUEUED)

    @property
    def lines(self) -> list[tuple[type[Event], dict[str, Any]]]:
        return self.log.lines


def recipient(
    move: RecipientMove, reply: str = "", stage: TransactionStage = TransactionStage.RCPT
) -> RecipientOutcome:
    return RecipientOutcome(f"{move.value}@b.example", move, reply, stage, read_reply_status(reply))


def test_a_delivered_message_is_one_line_with_its_place_and_the_reply() -> None:
    scene = Scene()
    assert (
        scene.record(recipient(RecipientMove.DELIVERED), recipient(RecipientMove.DELIVERED))
        is RecipientMove.DELIVERED
    )
    paths = ("delivered@b.example", "delivered@b.example")
    expected = {**PLACE, **NAMED, "recipients": 2, "forward_paths": paths, "reply": QUEUED}
    assert scene.lines == [(MessageDelivered, expected)]
    assert scene.drain_log.last_error == ""


def test_the_last_words_of_the_destination_are_kept_with_their_time() -> None:
    scene = Scene()
    assert (scene.drain_log.last_reply, scene.drain_log.rate) == ("", 0.0)
    scene.record(recipient(RecipientMove.DELIVERED))
    assert (scene.drain_log.last_reply, scene.drain_log.last_reply_at) == (QUEUED, 1000.0)
    scene.now = 1002.0
    scene.record(recipient(RecipientMove.DELIVERED))
    assert scene.drain_log.rate == 1.0
    scene.record(recipient(RecipientMove.DEFERRED, "450 4.2.1 later"))
    assert scene.drain_log.last_reply == "450 4.2.1 later"
    scene.now = 1003.0
    scene.record(recipient(RecipientMove.DEFERRED, "no reply to MAIL"))  # our own words
    assert (scene.drain_log.last_reply, scene.drain_log.last_reply_at) == (
        "450 4.2.1 later",
        1002.0,
    )


@pytest.mark.parametrize(
    ("move", "event", "more"),
    [
        (RecipientMove.DEFERRED, DeliveryDeferred, {}),
        (RecipientMove.UNCERTAIN, DeliveryUncertain, {}),
        (RecipientMove.REFUSED, DeliveryRefused, {}),
        (RecipientMove.BOUNCED, DeliveryRefused, {"bounced": True}),
    ],
)
def test_each_other_recipient_is_a_line_with_the_reply_to_it(
    move: RecipientMove, event: type[Event], more: dict[str, Any]
) -> None:
    scene = Scene()
    scene.record(recipient(move, "reply of the destination"))
    path = f"{move.value}@b.example"
    expected = {**PLACE, **NAMED, "forward_path": path, "reply": "reply of the destination"}
    assert scene.lines == [(event, {**expected, **more})]
    assert scene.drain_log.last_error == "reply of the destination"


def test_a_message_taken_in_part_has_a_line_for_each_refusal_and_one_for_the_rest() -> None:
    scene = Scene()
    move = scene.record(
        recipient(RecipientMove.DELIVERED),
        recipient(RecipientMove.REFUSED, "550 no"),
        recipient(RecipientMove.DELIVERED),
    )
    assert move is RecipientMove.REFUSED
    assert [kind for kind, _ in scene.lines] == [DeliveryRefused, MessageDelivered]
    assert scene.lines[1][1]["recipients"] == 2
    assert scene.lines[1][1]["forward_paths"] == ("delivered@b.example", "delivered@b.example")
    assert scene.drain_log.totals.tried == 1


@pytest.mark.parametrize(
    ("reply", "stage", "expected"),
    [
        ("450 4.7.1 slow down", TransactionStage.MAIL, DeferralCause.RATE),
        ("450 4.7.1 greylisted", TransactionStage.RCPT, DeferralCause.POLICY),
        ("450 4.2.1 mailbox busy", TransactionStage.RCPT, None),
    ],
)
def test_the_last_error_is_shown_with_its_cause(
    reply: str, stage: TransactionStage, expected: DeferralCause | None
) -> None:
    scene = Scene()
    scene.record(recipient(RecipientMove.DEFERRED, reply, stage))
    assert (scene.drain_log.last_error, scene.drain_log.hindrance) == (reply, expected)
    scene.drain_log.could_not_attempt("no such name in DNS")
    assert scene.drain_log.last_error == "no such name in DNS"
    assert scene.drain_log.hindrance is None


def test_a_connection_is_one_line_with_its_counts() -> None:
    scene = Scene()
    options = ClientOptions("mx2.example.net", TlsUse.OFF)
    endpoint = Endpoint(ipaddress.ip_address("192.0.2.9"), 25)
    plan = LinkPlan(endpoint, "p.example:25", options, None, DeliverySettings())
    end = ConnectionEnd(EndKind.BUSY, "421 busy", True, (mail(1),), "TLSv1.3", SendingManner.AHEAD)
    scene.drain_log.attempted(plan, end, DeliveryTally(delivered=3, deferred=2, refused=1), 1.25)
    [(kind, fields)] = scene.lines
    assert kind is DeliveryAttempt
    expected = {
        **PLACE,
        "address": "192.0.2.9:25",
        "tls_version": "TLSv1.3",
        "manner": "ahead",
        "end": "busy",
        "reason": "421 busy",
        "delivered": 3,
        "deferred": 2,
        "refused": 1,
        "outstanding": 1,
    }
    assert expected.items() <= fields.items()
    assert scene.drain_log.last_error == "421 busy"


@pytest.mark.parametrize("kind", AttemptKind)
def test_the_reason_of_an_attempt_is_an_error_only_if_it_was_incomplete(
    kind: AttemptKind,
) -> None:
    scene = Scene()
    scene.drain_log.attempt_ended(kind, "the reason", tried=5)
    expected = {**PLACE, "end": kind.value, "reason": "the reason", "tried": 5}
    assert scene.lines == [(AttemptEnded, expected)]
    assert scene.drain_log.last_error == ("" if kind is AttemptKind.COMPLETE else "the reason")
