"""S9: the destination of a domain is hard-configured; the public MX record is never asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.acceptance.installation import Installation, at
from tests.acceptance.loopback import addresses
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.askers import msmtp_asks
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.exim import EximPrimary
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.sample import arrived, message, send
from tests.acceptance.tripwire import Tripwire

PRIMARY, SECOND, THIEF = addresses(3)
SMTP_PORT: Final = 25

LYING: Final = {
    "alpha.example": {"MX": ["0 mail.thief.example."], "A": [THIEF], "TXT": ['"v=spf1 -all"']},
    "mail.thief.example": {"A": [THIEF]},
    "mail.alpha.example": {"A": [PRIMARY], "MX": ["0 mail.thief.example."]},
}


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    """A DNS in which a thief owns everything but the destination's own address records."""
    with NameServer(LYING) as names:
        yield names


@pytest.fixture(scope="module")
def restante(names: NameServer) -> Iterator[Installation]:
    """An installation that believes this DNS."""
    with Installation(more=names.settings) as restante:
        restante.start()
        yield restante


@pytest.fixture
def thieves() -> Iterator[list[Tripwire]]:
    """The host that the public MX names, at port 25 and at the destination's port."""
    port = free_port(PRIMARY)
    with Tripwire(THIEF, SMTP_PORT) as on_25, Tripwire(THIEF, port) as on_same:
        yield [on_25, on_same]


def test_mail_goes_to_the_destination_and_never_where_the_mx_points(
    restante: Installation, names: NameServer, thieves: list[Tripwire]
) -> None:
    """Only the destination's addresses are looked up; of the domain nothing is asked at all."""
    with PostfixPrimary(["alpha.example"], address=PRIMARY, port=thieves[1].port) as primary:
        primary.start()
        login = restante.hosts("alpha.example", f"mail.alpha.example:{primary.port}")
        send(restante.mx, "reader@alpha.example", content=message("for the right host"))

        assert msmtp_asks(restante.smtps, login, "alpha.example").returncode == 0
        primary.wait_for(1)
        assert arrived(primary) == [message("for the right host")]

    assert {name for name, _ in names.asked} == {"mail.alpha.example"}
    assert {kind for _, kind in names.asked} == {"A", "AAAA"}
    assert [thief.connections() for thief in thieves] == [0, 0]


def test_two_primaries_get_their_own_mail_only(restante: Installation) -> None:
    """A Postfix and an Exim on one port number, at addresses of their own."""
    port = free_port(PRIMARY)
    with (
        PostfixPrimary(["one.example"], address=PRIMARY, port=port) as one,
        EximPrimary(["two.example"], address=SECOND, port=port) as two,
    ):
        for primary in (one, two):
            [domain] = primary.domains
            primary.start()
            restante.hosts(domain, at(primary))
            send(restante.mx, f"reader@{domain}", content=message(domain))
        restante.do("release", "one.example", "two.example")

        for primary in (one, two):
            primary.wait_for(1)
            assert arrived(primary) == [message(primary.domains[0])]


def test_a_changed_destination_holds_for_mail_held_before(
    restante: Installation, thieves: list[Tripwire]
) -> None:
    """Where mail goes is decided when it goes: the customer has moved while it was held."""
    old = thieves[1]
    with PostfixPrimary(["moved.example"]) as primary:
        primary.start()
        restante.hosts("moved.example", at(old))
        send(restante.mx, "reader@moved.example", content=message("for the new host"))
        restante.do("domain", "set", "moved.example", "--destination", at(primary))
        restante.do("release", "moved.example")

        eventually(lambda: arrived(primary) == [message("for the new host")], what="the message")
        assert old.connections() == 0
