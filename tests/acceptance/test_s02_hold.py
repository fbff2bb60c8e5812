"""S2: hold. No destination is connected to before a request, even if it would accept mail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.acceptance.installation import HOST, Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.senders import smtp_source_sends
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.sample import REVERSE_PATH, message, send
from tests.acceptance.tripwire import Tripwire

COUNT: Final = 50


@pytest.fixture(scope="module")
def restante() -> Iterator[Installation]:
    """An installation that has little patience with destinations."""
    with Installation(delivery={"patience": 0.5}) as restante:
        restante.start()
        yield restante


@pytest.fixture
def tripwire() -> Iterator[Tripwire]:
    """A primary that is there, listening, and counts who connects."""
    with Tripwire(HOST) as tripwire:
        yield tripwire


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    """A primary that takes everything."""
    with SmtpSink() as sink:
        sink.start()
        yield sink


def test_nothing_leaves_until_it_is_asked_for(
    restante: Installation, tripwire: Tripwire, sink: SmtpSink
) -> None:
    """Not on arrival, restart, kill, reload or a change, nor when another domain is released.

    The time without a connection is measured in work: all of that, and another domain's delivery.
    The end shows that the tripwire would have noticed one.
    """
    login = restante.hosts("held.example", at(tripwire))
    restante.hosts("asked.example", at(sink))
    load(restante, "held.example")
    load(restante, "asked.example")

    restante.stop()
    restante.start()
    restante.kill()
    restante.start()
    restante.reload()
    restante.do("domain", "set", "held.example", "--add-allow", "192.0.2.0/24")
    send(restante.mx, "late@held.example", content=message("late"))
    assert restante.etrn("asked.example", login=login).returncode == 0
    sink.wait_for(COUNT)
    restante.wait_for_event("drain-finished", domain="asked.example")

    assert tripwire.connections() == 0
    assert restante.held("held.example") == COUNT + 1

    assert restante.etrn("held.example", login=login).returncode == 0
    eventually(tripwire.connections, what="a connection to the destination")


def test_held_again_means_held_again(restante: Installation, tripwire: Tripwire) -> None:
    """When patience with a destination is over, it is left alone until the next request."""
    login = restante.hosts("again.example", at(tripwire))
    load(restante, "again.example")
    assert restante.etrn("again.example", login=login).returncode == 0
    eventually(
        lambda: (
            tripwire.connections() and restante.events("drain-finished", domain="again.example")
        ),
        what="patience to end",
    )

    before = tripwire.connections()
    restante.stop()
    restante.start()
    send(restante.mx, "late@again.example", content=message("late"))
    assert tripwire.connections() == before
    assert restante.held("again.example") == COUNT + 1


def load(restante: Installation, domain: str) -> None:
    """Send COUNT messages for a domain."""
    sent = smtp_source_sends(
        restante.mx,
        reverse_path=REVERSE_PATH,
        forward_path=f"reader@{domain}",
        count=COUNT,
        sessions=5,
    )
    assert sent.returncode == 0, sent.stdout
