"""Policies on the wire: mail deferred, too large or without room, and the events of each."""

import pytest

from restante.telemetry.events import MailRefused, RecipientRefused
from restante.tenancy.policy import (
    AcceptPolicy,
    ForcedAcceptance,
    HoldPolicy,
    Suspension,
    WhileSuspended,
)
from restante.tenancy.quota import Quota
from tests.wire import Wire, audit

NOT_NOW = "450 4.3.2 Not taking mail for this domain now, try again later"
NO_ROOM = "452 4.2.2 No room for mail to this domain now, try again later"
TOO_LARGE = "552 5.3.4 Message exceeds the size limit"


def answers(smtp: Wire, path: str, size: int = 0) -> str:
    """The answer to RCPT in a transaction of its own."""
    announced = b" SIZE=%d" % size if size else b""
    smtp.send(b"RSET\r\nMAIL FROM:<>%s\r\nRCPT TO:<%s>\r\n" % (announced, path.encode()))
    return smtp.session.data_to_send().decode().splitlines()[-1]


def sent(smtp: Wire, octets: int, *paths: str) -> str:
    """The last answer to a message of so many octets, without SIZE."""
    recipients = b"".join(b"RCPT TO:<%s>\r\n" % path.encode() for path in paths)
    smtp.send(
        b"RSET\r\nMAIL FROM:<>\r\n" + recipients + b"DATA\r\n" + b"x" * (octets - 2) + b"\r\n.\r\n"
    )
    return smtp.session.data_to_send().decode().splitlines()[-1]


# --- suspended, and only when down


def test_a_suspended_domain_holds_its_mail_or_puts_it_off(smtp: Wire) -> None:
    smtp.hosts("a.example", suspension=Suspension("not paid", until=smtp.now + 60))
    assert answers(smtp, "x@a.example") == "250 2.1.5 OK"
    smtp.change(
        "a.example",
        suspension=Suspension("not paid", until=smtp.now + 60, mail=WhileSuspended.DEFER),
    )
    assert answers(smtp, "x@a.example") == NOT_NOW
    assert smtp.log.of(RecipientRefused)[0]["reason"] == "a.example is suspended: not paid"
    smtp.now += 60
    assert answers(smtp, "x@a.example") == "250 2.1.5 OK"


def test_while_the_destination_answers_mail_is_left_to_it(smtp: Wire) -> None:
    smtp.hosts("a.example", hold=HoldPolicy.ON_RETURN, accept=AcceptPolicy.WHEN_DOWN)
    smtp.hosts("b.example")
    assert answers(smtp, "x@a.example") == "250 2.1.5 OK"
    smtp.is_up = True
    assert answers(smtp, "x@a.example") == NOT_NOW
    assert answers(smtp, "x@b.example") == "250 2.1.5 OK"


def test_a_maintenance_window_has_its_own_way(smtp: Wire) -> None:
    smtp.hosts(
        "a.example",
        hold=HoldPolicy.ON_RETURN,
        accept=AcceptPolicy.WHEN_DOWN,
        forced=ForcedAcceptance(is_on=True, until=smtp.now + 60),
    )
    smtp.is_up = True
    assert answers(smtp, "x@a.example") == "250 2.1.5 OK"
    smtp.now += 60
    assert answers(smtp, "x@a.example") == NOT_NOW
    smtp.is_up = False
    smtp.change("a.example", forced=ForcedAcceptance(is_on=False))
    assert answers(smtp, "x@a.example") == NOT_NOW


# --- size


@pytest.mark.parametrize(
    ("size", "answer"), [(0, "250 2.1.5 OK"), (1000, "250 2.1.5 OK"), (1001, TOO_LARGE)]
)
def test_a_domain_takes_no_larger_messages_than_it_wants(
    smtp: Wire, size: int, answer: str
) -> None:
    smtp.hosts("a.example", message_octets=1000)
    assert answers(smtp, "x@a.example", size) == answer


def test_content_that_turns_out_too_large_is_refused_at_its_end(smtp: Wire) -> None:
    smtp.hosts("a.example", message_octets=1000)
    assert sent(smtp, 1000, "x@a.example").startswith("250 2.0.0 OK, held as")
    assert sent(smtp, 1001, "x@a.example") == TOO_LARGE
    assert len(smtp.held("a.example")) == 1
    assert smtp.log.of(MailRefused)[0]["reason"] == "a.example takes messages of up to 1000 octets"


def test_mail_that_one_of_its_domains_takes_is_held_for_all(smtp: Wire) -> None:
    """There is one reply for all of them, and a 552 would take the mail from those that want it."""
    smtp.hosts("a.example", message_octets=1000)
    smtp.hosts("b.example")
    assert sent(smtp, 1001, "x@a.example", "x@b.example").startswith("250")
    assert (len(smtp.held("a.example")), len(smtp.held("b.example"))) == (1, 1)


# --- quota


def test_past_a_domains_quota_it_is_452_until_mail_has_left(smtp: Wire) -> None:
    domain = smtp.hosts("a.example", holding=2, quota=Quota(messages=2))
    assert answers(smtp, "x@a.example") == NO_ROOM
    numbers = [message.number for message in smtp.held("a.example")]
    smtp.run(smtp.store.queue.delete(numbers[:1], audit()))
    assert smtp.store.figures.usage(domain.id).messages == 1
    assert answers(smtp, "x@a.example") == "250 2.1.5 OK"


def test_an_accounts_quota_is_one_for_all_its_domains(smtp: Wire) -> None:
    smtp.hosts("a.example", account="alpha", holding=2)
    smtp.hosts("b.example", account="alpha", holding=1)
    smtp.hosts("c.example", account="beta")
    smtp.set_quota("alpha", Quota(messages=3))
    assert [answers(smtp, f"x@{name}.example") for name in "abc"] == [
        NO_ROOM,
        NO_ROOM,
        "250 2.1.5 OK",
    ]
    assert smtp.log.of(RecipientRefused)[0]["reason"] == "the quota of account alpha is reached"


def test_octets_count_with_the_size_announced_and_with_that_which_comes(smtp: Wire) -> None:
    smtp.hosts("a.example", quota=Quota(octets=1000))
    assert answers(smtp, "x@a.example", 1000) == "250 2.1.5 OK"
    assert answers(smtp, "x@a.example", 1001) == NO_ROOM
    assert sent(smtp, 1001, "x@a.example") == NO_ROOM
    assert sent(smtp, 500, "x@a.example").startswith("250")
    assert smtp.held("a.example")[0].envelope.forward_paths == ("x@a.example",)


def test_no_quota_is_ever_a_5xx(smtp: Wire) -> None:
    smtp.hosts("a.example", quota=Quota(octets=1, messages=1))
    smtp.set_quota("alpha", Quota(octets=1, messages=1))
    assert {answers(smtp, "x@a.example", size)[:3] for size in (0, 1, 2, 10**6)} == {"250", "452"}
    assert sent(smtp, 500, "x@a.example")[:3] == "452"
