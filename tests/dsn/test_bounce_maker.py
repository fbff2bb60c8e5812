"""Bounces: the recipients that are removed, and the report where its sender may be told."""

import asyncio

import pytest

from restante.dsn.bounce_maker import prepare_bounce
from restante.dsn.dsn_writer import DsnWriter
from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest
from restante.mail.envelope import Envelope
from restante.mail.message import NewMessage
from restante.queue.recipient_status import RecipientStatus
from restante.store.memory import MemoryStore
from restante.store.queue_store import MessageBounce, QueuedMessage, QueuedRecipient
from tests.contract.making import ANNA, BERT, hosted

HELD, REFUSED = RecipientStatus.HELD, RecipientStatus.REFUSED
NEVER = DsnRequest(recipients={ANNA: RecipientRequest(Notify.NEVER)})


def bounced(envelope: Envelope, *listed: QueuedRecipient, number: int = 1) -> MessageBounce | None:
    """Hold a message, and bounce some of its recipients."""

    async def prepare() -> MessageBounce | None:
        store = MemoryStore()
        domain_id = await hosted(store)
        await store.reception.hold([NewMessage(1, domain_id, envelope, 0.0, b"X: y\r\n\r\n")])
        wanted = QueuedMessage(number, domain_id, envelope.reverse_path, listed, 0.0, 8)
        writer = DsnWriter(store.content, "mx2.example.net", lambda: 60.0)
        return await prepare_bounce(store.queue, writer, wanted, "mx.b.example")

    return asyncio.run(prepare())


BOTH = Envelope("s@a.example", (ANNA, BERT))
ANNA_REFUSED = QueuedRecipient(ANNA, REFUSED, "550 5.1.1 no such user")
BERT_HELD = QueuedRecipient(BERT, HELD, "")


def test_the_report_is_about_the_listed_recipients_alone() -> None:
    bounce = bounced(BOTH, ANNA_REFUSED)
    assert bounce is not None
    assert (bounce.number, bounce.forward_paths) == (1, (ANNA,))
    assert bounce.report is not None
    assert bounce.report.forward_paths == (ANNA,)
    assert b"no such user" in bounce.report.content
    assert b"mx.b.example" in bounce.report.content
    assert BERT.encode() not in bounce.report.content


@pytest.mark.parametrize(
    ("envelope", "told"),
    [
        (BOTH, (ANNA, BERT)),
        (Envelope("s@a.example", (ANNA, BERT), dsn=NEVER), (BERT,)),
        (Envelope("", (ANNA, BERT)), None),  # a report is never reported
        (Envelope("s@a.example", (ANNA, BERT), is_suspect=True), None),
    ],
)
def test_all_are_removed_and_a_sender_is_told_where_that_is_allowed(
    envelope: Envelope, told: tuple[str, ...] | None
) -> None:
    bounce = bounced(envelope, ANNA_REFUSED, BERT_HELD)
    assert bounce is not None
    assert bounce.forward_paths == (ANNA, BERT)
    assert (bounce.report and bounce.report.forward_paths) == told


def test_a_message_that_has_left_is_not_bounced() -> None:
    assert bounced(BOTH, ANNA_REFUSED, number=2) is None
