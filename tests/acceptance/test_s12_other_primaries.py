"""S12: seven other mail servers, as they come, receive a backlog although Restante is killed in it.

Each has its own manners behind the final dot. Haraka answers 503 to every command that was sent
ahead. Chasquid and Courier drop such commands silently. All three offer PIPELINING. Sendmail,
OpenSMTPD, aiosmtpd and smtp-server read on. A drain must be fast in all of these cases.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.aiosmtpd_server import AiosmtpdPrimary
from tests.acceptance.peers.chasquid import ChasquidPrimary
from tests.acceptance.peers.courier import CourierPrimary
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.node_servers import HarakaPrimary, SmtpServerPrimary
from tests.acceptance.peers.opensmtpd import OpensmtpdPrimary
from tests.acceptance.peers.primary import Primary
from tests.acceptance.peers.senders import smtp_source_sends
from tests.acceptance.peers.sendmail import SendmailPrimary
from tests.acceptance.sample import REVERSE_PATH

COUNT: Final = 500
KILLED_AFTER: Final = 10  # messages at the primary
WINDOW: Final = 64  # messages that a kill may send twice
CONNECTIONS: Final = 40  # in all, after the restart; one for each message would be 300
OUR_NAME: Final = re.compile(rb"by mx2\.example\.net with \w+ id (\w+)")

KINDS: Final[list[type[Primary]]] = [
    SendmailPrimary,
    OpensmtpdPrimary,
    CourierPrimary,
    ChasquidPrimary,
    HarakaPrimary,
    SmtpServerPrimary,
    AiosmtpdPrimary,
]


@pytest.fixture
def restante() -> Iterator[Installation]:
    """A server that connects to nobody but the primary of one test, so that connections count."""
    with Installation() as restante:
        restante.start()
        yield restante


@pytest.fixture(params=KINDS)
def primary(request: pytest.FixtureRequest) -> Iterator[Primary]:
    """One of each kind, off."""
    kind: type[Primary] = request.param
    with kind([f"{kind.__name__.lower()}.example"]) as primary:
        yield primary


def test_a_backlog_arrives_whole_and_fast_although_the_server_is_killed(
    restante: Installation, primary: Primary
) -> None:
    [domain] = primary.domains
    held = begin_to_drain(restante, primary, domain)
    restante.kill()
    assert primary.mailbox.count() < COUNT, "it was over too soon for this test"

    restante.start()
    eventually(
        lambda: restante.events("drain-finished", domain=domain, held=0),
        what=f"the rest of {COUNT} messages to be handed over; {primary.mailbox.count()} have"
        " arrived",
    )
    eventually(lambda: names_at(primary).keys() >= held, what="the primary to deliver them all")
    got = names_at(primary)
    assert got.keys() == held
    assert got.total() <= COUNT + WINDOW
    assert sum(attempts(restante).values()) <= CONNECTIONS, attempts(restante)


def begin_to_drain(restante: Installation, primary: Primary, domain: str) -> set[bytes]:
    """Have a backlog on its way to the primary, and return the names of all of it."""
    login = restante.hosts(domain, at(primary))
    sent = smtp_source_sends(
        restante.mx,
        reverse_path=REVERSE_PATH,
        forward_path=f"reader@{domain}",
        count=COUNT,
        sessions=20,
        size=2000,
    )
    assert sent.returncode == 0, sent.stdout
    held = {queued["name"].encode() for queued in restante.shown("queue", "list", domain)}
    assert len(held) == COUNT
    assert restante.etrn(domain, login=login).returncode == 0
    primary.start()  # only now, so that little time passes between here and the kill
    eventually(
        lambda: primary.mailbox.count() >= KILLED_AFTER,
        what="the drain to be on its way",
    )
    return held


def names_at(primary: Primary) -> Counter[bytes]:
    """Count what a primary has, by the names in our Received fields."""
    return Counter(name for raw in primary.messages() for name in OUR_NAME.findall(raw))


def attempts(restante: Installation) -> dict[str, float]:
    """Count the connections to destinations since the server's start, by how they ended."""
    transport = httpx.HTTPTransport(uds=str(restante.socket))
    with httpx.Client(transport=transport, base_url="http://restante", timeout=90) as client:
        families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        sample.labels["end"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == "restante_delivery_attempts_total" and sample.value
    }
