"""A stock Postfix decides about each message as if its client had connected itself."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import Final

import pytest

from restante.smtp.proxy_header import LOCAL_HEADER
from tests.acceptance.installation import Installation, at
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.sample import MARKER, message
from tests.acceptance.session import Session

CLIENTS: Final = {"198.51.100.7": "one.sender.example", "198.51.100.8": "two.sender.example"}
LISTED: Final = "198.51.100.66"
LISTED_NETWORK: Final = [f"198.51.100.{host}" for host in range(96, 126)]  # 30 of 32 addresses
MANNERS: Final = {
    "proxy": {"smtpd_upstream_proxy_protocol": "haproxy"},
    "xclient": {"smtpd_authorized_xclient_hosts": "127.0.0.1"},
}
REJECTED: Final = f"{{ {{ {LISTED} = REJECT it is listed }} }}"
RULE: Final = {"smtpd_client_restrictions": f"check_client_access inline:{REJECTED}"}
NETWORK_RULE: Final = "check_client_access cidr:{ { 198.51.100.96/27 REJECT it is listed } }"
LOOKS_UP: Final = "[reception]\nptr = true\n"
RECEIVED: Final = re.compile(
    rb"^Received: from (\S+) \((\S+) \[(?:IPv6:)?([^\]]+)\]\)", re.MULTILINE
)


class ProxyPostfix(PostfixPrimary):
    """Says nothing before the header of the PROXY protocol."""

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self.address, self.port), timeout=1) as connection:
                connection.sendall(LOCAL_HEADER)
                return connection.recv(3) == b"220"
        except OSError:
            return False


KINDS: Final = {"proxy": ProxyPostfix, "xclient": PostfixPrimary}


@pytest.fixture(scope="module")
def restante() -> Iterator[Installation]:
    """An installation that knows the name of the first client."""
    records = {
        "7.100.51.198.in-addr.arpa": {"PTR": ["one.sender.example."]},
        "one.sender.example": {"A": ["198.51.100.7"]},
    }
    with NameServer(records) as names, Installation(more=names.settings + LOOKS_UP) as restante:
        restante.start()
        yield restante


@pytest.fixture(params=sorted(MANNERS))
def manner(request: pytest.FixtureRequest) -> str:
    """How the primary is told."""
    value: str = request.param
    return value


@pytest.fixture
def domain(request: pytest.FixtureRequest) -> str:
    """A domain for each test."""
    word = re.sub("[^a-z]+", "-", request.node.name.lower())
    return f"{word[-40:].strip('-')}.example"


@pytest.fixture
def primary(manner: str, domain: str) -> Iterator[PostfixPrimary]:
    """A Postfix that is told the client, and does not run yet."""
    with KINDS[manner]([domain], settings=MANNERS[manner] | RULE) as primary:
        yield primary


def bring(restante: Installation, domain: str, source: str, hello: str, *tokens: str) -> None:
    """Bring a message for each token from an address."""
    with Session(restante.mx, source=source, hello=hello) as session:
        for token in tokens:
            for line in ("MAIL FROM:<a@sender.example>", f"RCPT TO:<{source}@{domain}>"):
                assert session.say(line).startswith(b"250")
            assert session.say("DATA").startswith(b"354")
            assert session.say(message(token).decode() + ".").startswith(b"250")


def seen(primary: PostfixPrimary) -> dict[str, tuple[str, str]]:
    """The HELO name and the address that the primary saw, by the token of the message."""
    found = {}
    for raw in primary.messages():
        topmost = RECEIVED.search(raw)
        assert topmost is not None, raw[:500]
        hello, _, address = (part.decode() for part in topmost.groups())
        token = raw[raw.index(MARKER) :].split(b"\n")[0].partition(b": ")[2].decode()
        found[token] = hello, address
    return found


def test_the_primary_sees_each_client_and_refuses_the_one_that_it_would_refuse(
    restante: Installation, primary: PostfixPrimary, manner: str, domain: str
) -> None:
    restante.hosts(domain, at(primary))
    restante.do("domain", "set", domain, "--client-address", manner)
    assert restante.shown("domain", "show", domain)["client_address"] == manner
    sent = {}
    for turn in range(3):
        for source, hello in CLIENTS.items():
            token = f"{source} {turn}"
            bring(restante, domain, source, hello, token)
            sent[token] = hello, source
    bring(restante, domain, LISTED, "bad.example", "listed")
    bring(restante, domain, "127.0.0.1", "local.example", "local")
    primary.start()

    restante.do("release", domain)

    primary.wait_for(len(sent) + 1)
    found = seen(primary)
    hostname, _ = found.pop("local")  # a private address: in our own name
    assert hostname not in {"local.example", *CLIENTS.values()}
    assert found == sent
    eventually(lambda: restante.held(domain) == 1, what="the refused message alone")
    [parked] = restante.shown("queue", "list", domain)
    assert parked["recipients"][0]["status"] == "refused"
    assert f"[{LISTED}]" in parked["recipients"][0]["reply"]


def test_with_xclient_the_primary_knows_the_name_of_the_client(
    restante: Installation, domain: str
) -> None:
    with PostfixPrimary([domain], settings=MANNERS["xclient"]) as primary:
        restante.hosts(domain, at(primary))
        restante.do("domain", "set", domain, "--client-address", "xclient")
        for source, hello in CLIENTS.items():
            bring(restante, domain, source, hello, source)
        primary.start()
        restante.do("release", domain)
        primary.wait_for(2)
        names = {
            topmost.group(3).decode(): topmost.group(2).decode()
            for raw in primary.messages()
            if (topmost := RECEIVED.search(raw)) is not None
        }
    assert names == {"198.51.100.7": "one.sender.example", "198.51.100.8": "unknown"}


def test_a_primary_that_does_not_authorize_us_gets_nothing(
    restante: Installation, domain: str
) -> None:
    with PostfixPrimary([domain]) as primary:
        restante.hosts(domain, at(primary))
        restante.do("domain", "set", domain, "--client-address", "xclient")
        bring(restante, domain, "198.51.100.7", "one.sender.example", "held")
        primary.start()
        restante.do("release", domain)
        event = restante.wait_for_event("delivery-attempt", domain=domain, end="refused")
        assert "does not offer XCLIENT" in event["reason"]
        assert primary.messages() == []
        assert restante.held(domain) == 1
        restante.do("domain", "set", domain, "--client-address", "none")
        primary.wait_for(1)


def test_a_port_for_the_proxy_protocol_answers_probes_and_the_look_for_its_state(
    restante: Installation, domain: str
) -> None:
    with ProxyPostfix([domain], settings=MANNERS["proxy"]) as primary:
        restante.hosts(domain, at(primary))
        restante.do("domain", "set", domain, "--client-address", "proxy", "--hold", "on-return")
        bring(restante, domain, "198.51.100.7", "one.sender.example", "back")
        primary.start()
        primary.wait_for(1)  # two probes must succeed, and they are 15 s apart
        assert seen(primary) == {"back": ("one.sender.example", "198.51.100.7")}


def test_thirty_listed_clients_in_front_do_not_keep_good_mail_waiting(
    restante: Installation, domain: str
) -> None:
    settings = MANNERS["xclient"] | {"smtpd_client_restrictions": NETWORK_RULE}
    with PostfixPrimary([domain], settings=settings) as primary:
        restante.hosts(domain, at(primary))
        restante.do("domain", "set", domain, "--client-address", "xclient")
        for source in LISTED_NETWORK:
            bring(restante, domain, source, "bulk.example", source)
        good = {f"{source} {turn}" for source in CLIENTS for turn in range(3)}
        for token in good:
            bring(restante, domain, token.split()[0], "out.example", token)
        primary.start()

        restante.do("release", domain)
        finished = restante.wait_for_event("drain-finished", domain=domain)
        primary.wait_for(len(good))
        assert set(seen(primary)) == good
    # A delivery has shown that the primary judges clients, so all 30 refusals stand in the end.
    counts = {name: finished[name] for name in ("delivered", "deferred", "refused", "held")}
    assert counts == {"delivered": 6, "deferred": 10, "refused": 30, "held": 0}
    assert len(restante.events("drain-started", domain=domain)) == 1
