"""S13: a shared platform: one account learns nothing of another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest

from tests.acceptance.installation import Installation, at
from tests.acceptance.loopback import addresses
from tests.acceptance.peers.askers import curl_asks, msmtp_asks
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.exim import EximPrimary
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import Primary
from tests.acceptance.peers.server import Login
from tests.acceptance.sample import arrived, message, send
from tests.acceptance.session import Session

AWAY: Final = "127.0.0.1:9"
NOT_THERE: Final = 66  # exit code
RECIPIENT: Final = re.compile(rb"^(?:Delivered-To|Envelope-to): (.+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Customer:
    """One of the two."""

    domain: str
    login: Login
    primary: Primary

    def delivered_to(self) -> list[str]:
        """Return the recipients of its primary's mail."""
        return sorted(
            path.decode() for raw in self.primary.messages() for path in RECIPIENT.findall(raw)
        )

    def has_got(self, *contents: bytes) -> bool:
        """Whether these are in its mailbox."""
        return set(contents) <= set(arrived(self.primary))


@pytest.fixture(scope="module")
def restante() -> Iterator[Installation]:
    """An installation that answers many wrong requests."""
    with Installation(more="[reception]\nerrors_limit = 100\n") as restante:
        restante.start()
        yield restante


@pytest.fixture(scope="module")
def customers(restante: Installation) -> Iterator[tuple[Customer, Customer]]:
    """Two accounts, each with a domain and a primary that would take the other's mail too."""
    domains = ["north.example", "south.example"]
    with PostfixPrimary(domains) as postfix, EximPrimary(domains) as exim:
        for primary in (postfix, exim):
            primary.start()
        yield (
            Customer(
                "north.example",
                restante.hosts("north.example", at(postfix), account="north"),
                postfix,
            ),
            Customer(
                "south.example", restante.hosts("south.example", at(exim), account="south"), exim
            ),
        )


def test_one_message_to_two_accounts_is_each_ones_own_part(
    restante: Installation, customers: tuple[Customer, Customer]
) -> None:
    """Each holds and gets its own recipients, at its own time, and learns nothing of the others."""
    north, south = customers
    content = message("to both")
    paths = {
        customer.domain: [f"one@{customer.domain}", f"two@{customer.domain}"]
        for customer in customers
    }
    send(
        restante.mx,
        *[path for pair in zip(*paths.values(), strict=True) for path in pair],
        content=content,
    )

    listed = restante.shown("queue", "list")
    queue = {
        queued["domain"]: queued["recipients"] for queued in listed if queued["domain"] in paths
    }
    held = {
        domain: [recipient["forward_path"] for recipient in recipients]
        for domain, recipients in queue.items()
    }
    assert held == paths

    assert curl_asks(restante.smtps, north.login, north.domain).returncode == 0
    north.primary.wait_for(2)
    assert restante.held(south.domain) == 1
    assert south.primary.mailbox.count() == 0

    assert msmtp_asks(restante.starttls, south.login, south.domain).returncode == 0
    south.primary.wait_for(2)
    for customer, other in (customers, customers[::-1]):
        assert arrived(customer.primary) == [content, content]
        assert customer.delivered_to() == paths[customer.domain]
        assert other.domain.encode() not in b"".join(customer.primary.messages())


def test_a_release_is_of_one_accounts_mail(
    restante: Installation, customers: tuple[Customer, Customer]
) -> None:
    """By `#account`, by `@` and their common parent, or by the operator: others are untouched."""
    north, south = customers
    eventually(lambda: not restante.shown("drain", "list"), what="the drains before to end")
    send(restante.mx, f"reader@{south.domain}", content=message("the other's"))
    before = restante.shown("queue", "list", south.domain)
    drains = restante.events("drain-started", domain=south.domain)
    trail = restante.shown("audit", "--account", "south")
    for target in ("#north", "@example", "NORTH.Example"):
        send(restante.mx, f"reader@{north.domain}", content=message(target))
        asked = curl_asks(restante.smtps, north.login, target)
        assert f"253 2.0.0 OK, 1 pending messages for node {target} started" in asked.stdout
        eventually(lambda: north.has_got(message(target)), what="the mail")  # noqa: B023
    send(restante.mx, f"reader@{north.domain}", content=message("by the operator"))
    restante.do("release", "#north")
    eventually(lambda: north.has_got(message("by the operator")), what="the mail")

    assert restante.shown("queue", "list", south.domain) == before
    assert restante.events("drain-started", domain=south.domain) == drains
    assert restante.shown("audit", "--account", "south") == trail
    assert not south.has_got(message("the other's"))


def test_foreign_and_unknown_names_get_the_same_answer(restante: Installation) -> None:
    """Octet for octet, whatever is asked and from wherever: mail waiting for the other or none."""
    restante.hosts("theirs.example", AWAY, account="theirs", allow=["127.0.0.0/8"])
    mine = restante.hosts("mine.example", AWAY, account="mine")
    send(restante.mx, "reader@theirs.example", content=message("theirs"))
    elsewhere = addresses(1)[0]
    with (
        Session(restante.smtps) as session,
        Session(restante.smtps, source=elsewhere) as from_elsewhere,
    ):
        for each in (session, from_elsewhere):
            each.authenticate(mine)
        for form in (
            "{}.example",
            "@{}.example",
            "@sub.{}.example",
            "#{}",
            "{}.EXAMPLE",
            "{}.example.",
        ):
            for theirs, nobodys in (("theirs", "nobody"), ("Theirs", "Nobody")):
                answers = {
                    each.say(f"ETRN {form.format(name)}").replace(name.encode(), b"")
                    for each in (session, from_elsewhere)
                    for name in (theirs, nobodys)
                }
                assert answers == {f"459 4.7.1 Node {form.format('')} not allowed\r\n".encode()}
        own_from_elsewhere = from_elsewhere.say("ETRN mine.example")
        assert own_from_elsewhere == b"459 4.7.1 Node mine.example not allowed\r\n"
    for entry in restante.shown("audit", "--account", "theirs"):
        assert "mine" not in str(entry)


def test_a_login_that_is_taken_away_is_taken_from_nobody_else(
    restante: Installation, customers: tuple[Customer, Customer]
) -> None:
    """Only its own account loses it. That account's other login, other accounts and mail stay."""
    north, south = customers
    second = Login("north-second", "another-password")
    restante.do("login", "add", "north", second.user, "--password-stdin", typed=second.password)
    for customer in customers:
        send(restante.mx, f"reader@{customer.domain}", content=message("the last"))
    not_theirs = restante.run(
        "login", "remove", "south", north.login.user, "--reason", "not theirs to remove"
    )
    assert not_theirs.returncode == NOT_THERE
    restante.do("login", "remove", "north", north.login.user, "--reason", "they left")

    with Session(restante.smtps, source=addresses(1)[0]) as session:
        assert (
            session.authenticate(north.login) == b"535 5.7.8 Authentication credentials invalid\r\n"
        )
    assert curl_asks(restante.smtps, south.login, south.domain).returncode == 0
    assert curl_asks(restante.smtps, second, north.domain).returncode == 0
    for customer in customers:
        eventually(lambda: customer.has_got(message("the last")), what="the mail")  # noqa: B023


def test_listings_have_a_row_for_each_domain_with_its_own_numbers(
    restante: Installation, customers: tuple[Customer, Customer]
) -> None:
    """`status`, `domain list`, `queue list`: the right messages and octets for each account."""
    eventually(
        lambda: len(restante.events("drain-finished")) == len(restante.events("drain-started")),
        what="the drains of the tests before to end: a running one takes new mail along",
    )
    restante.hosts("also.north.example", AWAY, account="north")
    sent = {"also.north.example": 2, "south.example": 1}
    for domain, count in sent.items():
        for number in range(count):
            send(restante.mx, f"reader@{domain}", content=message(f"{domain} {number}"))

    status, queue = restante.shown("status"), restante.shown("queue", "list")
    rows = {row["domain"]: row for row in status["domains"]}
    listed = {row["name"]: row for row in restante.shown("domain", "list")}
    for domain, count in sent.items():
        queued = [one for one in queue if one["domain"] == domain]
        expected = {"account": domain.split(".")[-2], "messages": count, "refused": 0}
        expected |= {"octets": sum(one["size"] for one in queued)}
        assert len(queued) == count
        assert expected.items() <= rows[domain].items()
        assert expected.items() <= listed[domain].items()
        assert rows[domain]["oldest_at"] == queued[0]["received_at"]
    assert rows["also.north.example"]["destination"] == AWAY
    for total in ("messages", "octets", "refused"):
        assert status[total] == sum(row[total] for row in status["domains"])
