"""After a failed sync senders get 451, nothing is acknowledged, and the server exits to restart."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.acceptance.crash.campaign import Campaign
from tests.acceptance.crash.senders import Senders
from tests.acceptance.crash.server import FAILURES
from tests.fixed_seed import SEED

EX_TEMPFAIL = 75


@pytest.fixture(scope="module")
def campaign() -> Iterator[Campaign]:
    """One installation for all."""
    with Campaign(SEED) as campaign:
        yield campaign


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failed_sync_loses_nothing_and_ends_the_server(campaign: Campaign, failure: str) -> None:
    """Mail in flight may be there or not. Acknowledged mail is."""
    victim = campaign.victim
    before = campaign.destination.taken.copy()
    victim.start_with(failure, campaign.random.randint(3, 30))
    senders = Senders(
        victim.mx_port, campaign.books, campaign.random.getrandbits(32), is_patient=True
    )
    asyncio.run(senders.run())
    assert victim.wait_until_it_leaves() == EX_TEMPFAIL, victim.log_tail()
    assert 451 in senders.refusals
    assert set(senders.refusals) <= {451, 421}
    assert "start the server again" in victim.log_tail().splitlines()[-1]
    assert victim.events("server-failing")
    findings = campaign.account(failure, before, 0)
    assert findings.are_sound, findings


def test_after_that_it_serves_again(campaign: Campaign) -> None:
    assert campaign.finish().are_sound
    assert not campaign.held.keys
