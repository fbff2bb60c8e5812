"""Counts of mail by domains."""

from restante.telemetry import use_counts
from restante.telemetry.events import MailHeld, MessageDelivered
from restante.telemetry.use_counts import UseInbox


def held(*domains: str, octets: int = 10) -> MailHeld:
    return MailHeld(
        message="1",
        message_id="",
        peer="192.0.2.1",
        hello="a.example",
        tls="",
        reverse_path="<>",
        recipients=1,
        forward_paths=(),
        domains=domains,
        octets=octets,
    )


def delivered(domain: str) -> MessageDelivered:
    return MessageDelivered(
        message="1",
        message_id="",
        domain=domain,
        destination="mail.example:25",
        recipients=1,
        forward_paths=(),
        reply="250 ok",
    )


def test_messages_are_counted_by_the_domains_they_are_for() -> None:
    inbox = UseInbox()
    for event in (held("a.example"), held("a.example", octets=5), held("a.example", "b.example")):
        inbox.hear_held(event)
    assert inbox.take().received == {("a.example",): (2, 15), ("a.example", "b.example"): (1, 10)}


def test_deliveries_are_counted_by_domain() -> None:
    inbox = UseInbox()
    for event in (delivered("a.example"), delivered("b.example"), delivered("a.example")):
        inbox.hear_delivered(event)
    assert inbox.take().delivered == {"a.example": 2, "b.example": 1}


def test_taken_counts_are_gone() -> None:
    inbox = UseInbox()
    inbox.hear_held(held("a.example"))
    inbox.hear_delivered(delivered("a.example"))
    inbox.take()
    taken = inbox.take()
    assert (taken.received, taken.delivered) == ({}, {})


def test_beyond_the_sets_that_are_told_apart_each_domain_is_counted() -> None:
    inbox = UseInbox()
    for number in range(use_counts.MOST_SETS):
        inbox.hear_held(held("a.example", f"d{number}.example"))
    inbox.hear_held(held("a.example", "b.example", "c.example"))
    inbox.hear_held(held("b.example"))
    inbox.hear_held(held("a.example", "d0.example"))
    taken = inbox.take().received
    assert (taken["a.example",], taken["b.example",], taken["c.example",]) == (
        (1, 10),
        (2, 20),
        (1, 10),
    )
    assert taken["a.example", "d0.example"] == (2, 20)
    assert len(taken) == use_counts.MOST_SETS + 3
