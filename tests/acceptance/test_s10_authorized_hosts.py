"""S10: an authorized-hosts list per domain: addresses, networks, host names.

The client's address is that of the connection. Each test is a list, and clients at some addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.acceptance.installation import Installation, at
from tests.acceptance.loopback import addresses
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.askers import curl_asks
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.server import Login
from tests.acceptance.sample import arrived, message, send
from tests.acceptance.session import Session

AWAY: Final = "127.0.0.1:9"
ALLOWED: Final = b"251 "  # nothing is held, but it may be asked for
NOT_ALLOWED: Final = b"459 4.7.1 "
NOT_ALLOWED_TO_CURL: Final = 8  # exit code


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    """The DNS as the server under test sees it."""
    with NameServer({}) as names:
        yield names


@pytest.fixture(scope="module")
def restante(names: NameServer) -> Iterator[Installation]:
    """An installation that asks this DNS."""
    with Installation(more=names.settings) as restante:
        restante.start()
        yield restante


def ask(restante: Installation, login: Login, source: str, target: str) -> bytes:
    """Ask for a target from an address, and return the reply."""
    with Session(restante.smtps, source=source) as session:
        assert session.authenticate(login).startswith(b"235")
        return session.say(f"ETRN {target}")


def last_entry(restante: Installation) -> dict[str, Any]:
    """Return the newest entry of the audit trail."""
    entry: dict[str, Any] = restante.shown("audit", "--limit", "1")[0]
    return entry


def pointer(address: str) -> str:
    """Return the name under which DNS keeps the PTR record of an address."""
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa"


def test_an_address_is_that_address_alone(restante: Installation) -> None:
    """A real client gets the mail from a listed address. The next one gets 459, with an entry."""
    right, next_to_it = addresses(2)
    with PostfixPrimary(["address.example"]) as primary:
        primary.start()
        login = restante.hosts("address.example", at(primary), allow=[right])
        send(restante.mx, "reader@address.example", content=message("for the right host"))

        refused = curl_asks(restante.smtps, login, "address.example", "--interface", next_to_it)
        assert refused.returncode == NOT_ALLOWED_TO_CURL
        assert "459 4.7.1 Node address.example not allowed" in refused.stdout
        assert restante.held("address.example") == 1
        entry = last_entry(restante)
        assert (entry["actor"], entry["subject"], entry["acted_from"]) == (
            "login alpha",
            "address.example",
            next_to_it,
        )
        assert entry["answer"] == "459 4.7.1 Node address.example not allowed"
        assert entry["reason"] == "host not authorized for address.example"
        assert primary.mailbox.count() == 0

        assert (
            curl_asks(restante.starttls, login, "address.example", "--interface", right).returncode
            == 0
        )
        eventually(lambda: arrived(primary) == [message("for the right host")], what="the message")
        assert last_entry(restante)["reason"] == "granted"


def test_a_network_is_all_its_addresses_and_no_more(restante: Installation) -> None:
    """Up to its last address; the first of the next network is a stranger."""
    network = addresses(1)[0].rpartition(".")[0]
    login = restante.hosts("network.example", AWAY, allow=[f"{network}.16/28", "2001:db8::/32"])

    for inside in (f"{network}.16", f"{network}.31"):
        assert ask(restante, login, inside, "network.example").startswith(ALLOWED)
    for outside in (f"{network}.15", f"{network}.32"):
        assert ask(restante, login, outside, "network.example").startswith(NOT_ALLOWED)


def test_a_host_name_is_what_it_resolves_to(restante: Installation, names: NameServer) -> None:
    """Each of its addresses by forward lookup. The PTR record of another address is irrelevant."""
    first, second, impostor = addresses(3)
    names.records = {
        "requester.name.example": {"A": [first, second], "MX": ["0 impostor.example."]},
        "impostor.example": {"A": [impostor]},
        pointer(impostor): {"PTR": ["requester.name.example."]},
    }
    login = restante.hosts("name.example", AWAY, allow=["Requester.Name.Example"])

    assert ask(restante, login, impostor, "name.example").startswith(NOT_ALLOWED)
    assert last_entry(restante)["reason"] == "host not authorized for name.example"
    assert ask(restante, login, first, "name.example").startswith(ALLOWED)
    assert ask(restante, login, second, "name.example").startswith(ALLOWED)
    assert set(names.asked) == {("requester.name.example", "A"), ("requester.name.example", "AAAA")}


@pytest.mark.parametrize("trouble", ["no such name", "no address", "DNS out of order"])
def test_a_name_that_says_nothing_lets_nobody_in(
    restante: Installation, names: NameServer, trouble: str
) -> None:
    """Until it is known where it is; the addresses beside it on the list count all the while."""
    domain = f"{trouble.replace(' ', '-').lower()}.example"
    requester, other = addresses(2)
    names.records = (
        {} if trouble == "no such name" else {f"requester.{domain}": {"TXT": ['"nothing"']}}
    )
    names.failing = {f"requester.{domain}"} if trouble == "DNS out of order" else set()
    login = restante.hosts(domain, AWAY, allow=[f"requester.{domain}", other])

    assert ask(restante, login, requester, domain).startswith(NOT_ALLOWED)
    assert ask(restante, login, other, domain).startswith(ALLOWED)
    names.records, names.failing = {f"requester.{domain}": {"A": [requester]}}, set()
    assert ask(restante, login, requester, domain).startswith(ALLOWED)


def test_each_domain_has_a_list_of_its_own(restante: Installation) -> None:
    """Asked for together, those come whose list has the requester; the trail names the others."""
    requester, other = addresses(2)
    account = {"account": "lists"}
    login = restante.hosts("mine.example", AWAY, allow=[requester], **account)
    restante.hosts("others.example", AWAY, allow=[other], **account)
    restante.hosts("nobodys.example", AWAY, allow=[], **account)

    assert ask(restante, login, requester, "others.example").startswith(NOT_ALLOWED)
    assert ask(restante, login, requester, "nobodys.example").startswith(NOT_ALLOWED)
    assert ask(restante, login, requester, "#lists").startswith(ALLOWED)
    reason = last_entry(restante)["reason"]
    assert reason.startswith("granted, but host not authorized for nobodys.example, others.example")


def test_a_changed_list_counts_at_once(restante: Installation) -> None:
    """Also in a session under way: a removed host is refused at once, an added one admitted."""
    requester, other = addresses(2)
    login = restante.hosts("changing.example", AWAY, allow=[other])
    with Session(restante.smtps, source=requester) as session:
        session.authenticate(login)
        assert session.say("ETRN changing.example").startswith(NOT_ALLOWED)
        restante.do("domain", "set", "changing.example", "--add-allow", requester)
        assert session.say("ETRN changing.example").startswith(ALLOWED)
        restante.do("domain", "set", "changing.example", "--drop-allow", requester)
        assert session.say("ETRN changing.example").startswith(NOT_ALLOWED)
