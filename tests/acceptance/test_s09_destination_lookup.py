"""S9 by name: the host's addresses are looked up at each delivery, and are never our own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.acceptance.installation import HOST, HOSTNAME, Installation
from tests.acceptance.loopback import addresses
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.ports import is_free
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.sample import message, send
from tests.acceptance.tripwire import Tripwire

BAD_DATA: Final = 65  # exit code of `restante`
LIAR: Final = "mx.liar.example"


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    """The DNS as the server under test sees it."""
    with NameServer({}) as names:
        yield names


@pytest.fixture(scope="module")
def restante(names: NameServer) -> Iterator[Installation]:
    """An installation that asks this DNS, and has little patience with destinations."""
    with Installation(delivery={"patience": 0.5}, more=names.settings) as restante:
        restante.start()
        yield restante


def drained(restante: Installation, domain: str) -> dict[str, Any]:
    """Have a domain released, and return the line of the drain's end."""
    before = len(restante.events("drain-finished", domain=domain))
    restante.do("release", domain)
    ended = eventually(
        lambda: restante.events("drain-finished", domain=domain)[before:], what="the drain to end"
    )
    return ended[-1]


def test_each_address_of_the_host_is_tried(restante: Installation, names: NameServer) -> None:
    """Dead addresses do not keep mail from the live one. No other host is tried."""
    *off, home, elsewhere = addresses(7)
    with SmtpSink(address=home) as sink, Tripwire(elsewhere, sink.port) as tripwire:
        assert all(is_free(address, sink.port) for address in off)
        sink.start()
        names.records = {
            "two.example": {"A": [elsewhere], "MX": [f"0 {LIAR}."]},
            LIAR: {"A": [elsewhere]},
            "mail.two.example": {"A": [*off, home], "AAAA": ["::1"], "MX": [f"0 {LIAR}."]},
        }
        restante.hosts("two.example", f"mail.two.example:{sink.port}")
        send(restante.mx, "reader@two.example", content=message("at the one that answers"))

        assert drained(restante, "two.example")["delivered"] == 1
        assert sink.count() == 1
        assert tripwire.connections() == 0
        tried = {
            attempt["address"]
            for attempt in restante.events("delivery-attempt", domain="two.example")
        }
        assert f"{home}:{sink.port}" in tried
        assert tried <= {f"{address}:{sink.port}" for address in (*off, home)}  # DNS shuffles them


@pytest.mark.parametrize("trouble", ["no address", "DNS out of order"])
def test_a_host_without_an_address_gets_nothing_and_nobody_else_either(
    restante: Installation, names: NameServer, trouble: str
) -> None:
    """No fall-back to the domain's own address or MX: mail waits until the host has an address."""
    domain = f"{trouble.replace(' ', '-').lower()}.example"
    home, elsewhere = addresses(2)
    with SmtpSink(address=home) as sink, Tripwire(elsewhere, sink.port) as tripwire:
        sink.start()
        around = {domain: {"A": [elsewhere], "MX": [f"0 {LIAR}."]}, LIAR: {"A": [elsewhere]}}
        names.records = {**around, f"mail.{domain}": {"TXT": ['"nothing"']}}
        names.failing = {f"mail.{domain}"} if trouble == "DNS out of order" else set()
        restante.hosts(domain, f"mail.{domain}:{sink.port}")
        send(restante.mx, f"reader@{domain}", content=message("nowhere to go"))
        failed = drained(restante, domain)
        assert (failed["delivered"], failed["held"]) == (0, 1)
        assert f"mail.{domain}" in failed["reason"]

        names.records, names.failing = {**around, f"mail.{domain}": {"A": [home]}}, set()
        assert drained(restante, domain)["delivered"] == 1
        assert sink.count() == 1
        assert tripwire.connections() == 0


@pytest.mark.parametrize(
    "destination",
    [
        "127.0.0.1:{mx}",
        "localhost:{smtps}",
        "LOCALHOST.:{mx}",
        "[::ffff:127.0.0.1]:{mx}",
        f"{HOSTNAME}:25",
        "0.0.0.0:{mx}",
        "ours.by-another-name.example:{mx}",
    ],
)
def test_our_own_listener_is_no_destination(
    restante: Installation, names: NameServer, destination: str
) -> None:
    """Under any name: mail handed to ourselves would be held again endlessly."""
    names.records = {"ours.by-another-name.example": {"A": [HOST]}}
    place = destination.format(mx=restante.mx_port, smtps=restante.smtps_port)
    restante.has_account("alpha")
    refused = restante.run(
        "domain", "add", "loop.example", "--account", "alpha", "--destination", place
    )

    assert refused.returncode == BAD_DATA
    assert refused.stderr.startswith("restante: destination ")
    assert refused.stderr.count("\n") == 1
    assert not restante.events("record-changed", subject="loop.example")


def test_a_host_that_becomes_ourselves_gets_nothing(
    restante: Installation, names: NameServer
) -> None:
    """Accepted while the name led elsewhere: any later DNS answer leads no mail back here."""
    names.records = {"mail.later.example": {"A": addresses(1)}}
    restante.hosts("later.example", f"mail.later.example:{restante.mx_port}")
    refused = restante.run(
        "domain", "set", "later.example", "--destination", f"{HOST}:{restante.mx_port}"
    )
    assert refused.returncode == BAD_DATA
    send(restante.mx, "reader@later.example", content=message("no way home"))
    taken = len(restante.events("mail-held"))

    names.records = {"mail.later.example": {"A": [HOST]}}
    ended = drained(restante, "later.example")
    assert (ended["delivered"], ended["held"]) == (0, 1)
    assert ended["destination"] == f"mail.later.example:{restante.mx_port}"
    assert "this server itself" in ended["reason"]
    assert len(restante.events("mail-held")) == taken
