"""S3 if one side ends during a drain: it goes on when both run, without another request."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from tests.acceptance.installation import Installation, at
from tests.acceptance.on_both_stores import ON_BOTH_STORES
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.senders import smtp_source_sends
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.sample import REVERSE_PATH, message, send

pytestmark = ON_BOTH_STORES

COUNT: Final = 1000  # a busy machine sees the drain under way; a list shows no more
BEGUN: Final = 10  # messages that have left by then
WINDOW: Final = 64  # messages that one connection may have handed over without a record of it
TOLD_NAME: Final = re.compile(r"held as (\w+)")
OUR_NAME: Final = re.compile(r"^\tby mx2\.example\.net with \w+ id (\w+)", re.MULTILINE)


@pytest.fixture
def primary() -> Iterator[SmtpSink]:
    """A primary that keeps what it takes, off."""
    with SmtpSink(keep_content=True) as primary:
        yield primary


@pytest.mark.parametrize(("end", "copies"), [(Installation.stop, 0), (Installation.kill, WINDOW)])
def test_a_drain_survives_the_end_of_the_server(
    restante: Installation, primary: SmtpSink, end: Callable[[Installation], None], copies: int
) -> None:
    """No loss. An orderly stop causes no copies; a kill at most one window of them."""
    domain = f"{end.__name__}.example"
    held = begin_to_drain(restante, primary, domain)
    end(restante)
    assert primary.count() < COUNT, "it was over too soon for this test"

    restante.start()
    restante.wait_for_event("drain-finished", domain=domain, held=0)
    got = names_at(primary)
    assert got.keys() == held
    assert got.total() <= COUNT + copies
    [release] = restante.shown("drain", "list", "--past", "--domain", domain)
    counts = [release[name] for name in ("pending", "delivered", "refused", "left")]
    assert (release["ends"], counts) == (["finished"], [COUNT, COUNT, 0, 0])


def test_a_drain_survives_the_end_of_the_primary(restante: Installation, primary: SmtpSink) -> None:
    """No loss, and at most one window of copies. New mail goes with the rest."""
    held = begin_to_drain(restante, primary, "away.example")
    primary.stop()
    assert 0 < len(names_at(primary)) < COUNT, "it was over too soon for this test"

    late = send(restante.mx, "reader@away.example", content=message("late"))
    primary.start()
    restante.wait_for_event("drain-finished", domain="away.example", held=0)
    got = names_at(primary)
    assert got.keys() == held | {*TOLD_NAME.findall(late.stdout)}
    assert got.total() <= COUNT + 1 + WINDOW


def begin_to_drain(restante: Installation, primary: SmtpSink, domain: str) -> set[str]:
    """Have mail on its way over one connection, with more to come. Return all names."""
    login = restante.hosts(domain, at(primary), "--connections", "1")
    sent = smtp_source_sends(
        restante.mx,
        reverse_path=REVERSE_PATH,
        forward_path=f"reader@{domain}",
        count=COUNT,
        sessions=20,
        size=2000,
    )
    assert sent.returncode == 0, sent.stdout
    held = {queued["name"] for queued in restante.shown("queue", "list", domain)}
    assert restante.etrn(domain, login=login).returncode == 0
    primary.start()  # only now, so that only the drain takes time between here and the end
    eventually(lambda: primary.count() > BEGUN, what="the drain to be on its way")
    return held


def names_at(primary: SmtpSink) -> Counter[str]:
    """Count what a primary has, by the names in our Received fields."""
    return Counter(name for raw in primary.messages() for name in OUR_NAME.findall(raw.decode()))
