"""ATRN: a primary that nobody can reach takes its mail on its own connection (RFC 2645)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.installation import ALPHA, HOST, Installation
from tests.acceptance.peers.odmr_customer import OdmrCustomer
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.server import Login, Server, Tls
from tests.acceptance.sample import message, send

pytestmark = pytest.mark.parametrize("store_kind", ["sqlite", "postgres"], indirect=True)
ODMRS = """
[[listen]]
service = "odmrs"
address = "127.0.0.1:{port}"
"""
REFUSED = b"450 4.7.1 ATRN request refused\r\n"
BETA = Login("beta", "the-beta-password")


@pytest.fixture(scope="module")
def odmrs_port() -> int:
    return free_port(HOST)


@pytest.fixture(scope="module")
def restante(store_kind: str, odmrs_port: int) -> Iterator[Installation]:
    """A server with a listener of each service."""
    with Installation(more=ODMRS.format(port=odmrs_port)) as restante:
        restante.start()
        restante.do("login", "set", "alpha", "alpha", "--turnaround")
        yield restante


@pytest.fixture
def odmrs(restante: Installation, odmrs_port: int) -> Server:
    return Server("localhost", odmrs_port, Tls.IMPLICIT, restante.authority)


_COUNT = iter(range(10_000))


def hosted(
    restante: Installation, *, turnaround: str = "allow", account: str = "alpha", held: int = 0
) -> str:
    """Host a domain with some held messages, and return its name."""
    domain = f"d{next(_COUNT)}.example"
    destination = f"{HOST}:{free_port(HOST)}"  # nobody listens there
    restante.hosts(domain, destination, "--turnaround", turnaround, account=account)
    hold(restante, domain, held)
    return domain


def hold(restante: Installation, domain: str, count: int) -> None:
    for number in range(count):
        content = message(f"{domain} {number}")
        assert send(restante.mx, f"reader@{domain}", content=content).returncode == 0


def turns_of(restante: Installation) -> list[dict[str, Any]]:
    """Return the entries in the trail about turnarounds, newest first."""
    return [one for one in restante.shown("audit") if one["action"] == "turnaround-requested"]


@pytest.mark.parametrize("way_in", ["odmr", "odmrs"])
@pytest.mark.parametrize("like_fetchmail", [False, True], ids=["streams", "like fetchmail"])
def test_a_client_takes_the_mail_of_several_domains_on_its_own_connection(
    restante: Installation, odmrs: Server, way_in: str, *, like_fetchmail: bool
) -> None:
    first, second = hosted(restante, held=3), hosted(restante, held=2)
    server = odmrs if way_in == "odmrs" else restante.odmr
    with OdmrCustomer(server, reads_like_fetchmail=like_fetchmail) as customer:
        assert b"250-ATRN\r\n" in customer.offered
        reply = customer.turn(ALPHA, f"{first}, {second}")
        assert reply == b"250 2.0.0 OK now reversing the connection\r\n"
        customer.serve()
        assert customer.commands[0] == "EHLO mx2.example.net"
        assert customer.commands[-1] == "QUIT"
        assert len(customer.taken) == 5
    for domain in (first, second):
        restante.wait_for_event("drain-finished", domain=domain, end="finished", held=0)
        assert restante.held(domain) == 0
    entry = turns_of(restante)[0]
    assert entry["answer"] == "250 2.0.0 OK now reversing the connection"
