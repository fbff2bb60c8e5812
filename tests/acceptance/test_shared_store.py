"""One server whose store is on PostgreSQL: the whole way of mail, restarts, and an outage."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.installation import ALPHA, Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.sample import message, send
from tests.acceptance.session import Session

if TYPE_CHECKING:
    from tests.postgres_cluster import PostgresCluster

DOMAIN = "alpha.example"


@pytest.fixture(scope="module")
def primary() -> Iterator[SmtpSink]:
    """A primary that keeps what it takes."""
    with SmtpSink(keep_content=True) as primary:
        primary.start()
        yield primary


@pytest.fixture(scope="module")
def restante(database: str, primary: SmtpSink) -> Iterator[Installation]:
    """A server on that database, with one domain."""
    with Installation(database=database) as restante:
        restante.start()
        restante.hosts(DOMAIN, at(primary))
        yield restante


def test_mail_is_held_and_drained_after_a_restart(
    restante: Installation, primary: SmtpSink
) -> None:
    for number in range(3):
        assert send(restante.mx, f"reader@{DOMAIN}", content=message(f"m{number}")).returncode == 0
    restante.stop()
    restante.start()
    assert restante.held(DOMAIN) == 3
    assert restante.etrn(DOMAIN, login=ALPHA).returncode == 0
    restante.wait_for_event("drain-finished", domain=DOMAIN, held=0)
    assert primary.count() == 3


def test_large_content_is_held_and_drained_after_a_kill(
    restante: Installation, primary: SmtpSink
) -> None:
    large = message("large", b"x" * 78 + b"\r\n" + (b"y" * 998 + b"\r\n") * 3000)
    assert send(restante.mx, f"reader@{DOMAIN}", content=large).returncode == 0
    restante.kill()
    restante.start()
    assert restante.etrn(DOMAIN, login=ALPHA).returncode == 0
    eventually(lambda: restante.held(DOMAIN) == 0, what="the large message to leave")
    assert sum(raw.count(b"y" * 998) for raw in primary.messages()) == 3000


def test_an_outage_of_the_database_passes(
    restante: Installation, primary: SmtpSink, postgres_cluster: PostgresCluster
) -> None:
    assert send(restante.mx, f"reader@{DOMAIN}", content=message("before")).returncode == 0
    postgres_cluster.halt()
    restante.wait_for_event("store-away")
    with Session(restante.mx) as sender:
        assert sender.say("MAIL FROM:<a@b.example>").startswith(b"451")
    with Session(restante.smtps) as asker:
        assert asker.authenticate(ALPHA).startswith((b"235", b"454"))
        assert asker.say(f"ETRN {DOMAIN}").startswith((b"458", b"530"))
    assert restante.run("status", "--check").returncode == 2
    assert restante.is_running
    asyncio.run(postgres_cluster.start_again())
    restante.wait_for_event("store-back")
    assert restante.etrn(DOMAIN, login=ALPHA).returncode == 0
    restante.wait_for_event("drain-finished", domain=DOMAIN, held=0)
    assert restante.held(DOMAIN) == 0
