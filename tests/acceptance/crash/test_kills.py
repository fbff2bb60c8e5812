"""Acknowledged mail survives every kill and is delivered. `make crash N=1000` is the long run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.acceptance.crash.campaign import WINDOW, Campaign
from tests.acceptance.crash.server import DELIVERY, LIE, POINTS
from tests.fixed_seed import SEED

KILLS: Final = 36  # at random; with those at the worst moments, 50
BATCHES: Final = 4
LATEST: Final = {
    "copy-linked": 1,
    "drain-recorded": 2,
    "drain-taken": 1,
    "before-finish": 1,
    "drain-finished": 1,
    "checkpoint-begun": 40,
}  # the nth time at most; 8 for all others


@pytest.fixture(scope="module")
def campaign() -> Iterator[Campaign]:
    """One installation for all tests; a failing test names its seed. Mail stays between tests."""
    with Campaign(SEED) as campaign:
        yield campaign


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_the_worst_moment_loses_nothing(campaign: Campaign, point: str) -> None:
    """Each step between "the bytes are here" and "the next server has them" may be the last."""
    if point in DELIVERY:
        campaign.fill()
    if point == "drain-taken":  # the lives that fill may have ended the drains of earlier ones
        assert campaign.live_until("drain-recorded", 1, is_asked=True).are_sound
    acknowledged = set(campaign.books.acknowledged)
    before = dict(campaign.destination.taken)
    nth = campaign.random.randint(1, LATEST.get(point, 8))
    findings = campaign.live_until(point, nth, is_asked=point in DELIVERY)
    assert findings.are_sound, findings
    assert campaign.books.surprises == []
    assert campaign.table.most_copies <= WINDOW
    if point == "row-committed":  # that it was held nobody was told
        assert campaign.held.keys.keys() - campaign.books.acknowledged - acknowledged
    if point == "before-settle":  # it comes a second time
        assert any(
            campaign.destination.taken[key] > before.get(key, 0) for key in campaign.held.keys
        )


@pytest.mark.parametrize("point", ["spool-synced", "copy-linked"])
def test_content_without_a_row_is_swept_at_the_next_start(campaign: Campaign, point: str) -> None:
    assert campaign.live_until(point, 1, is_asked=False).are_sound
    assert campaign.held.orphans
    campaign.victim.start()
    campaign.victim.stop()
    assert campaign.reader.look().orphans == set()


@pytest.mark.parametrize("batch", range(BATCHES))
def test_kills_at_random_lose_nothing_and_make_few_copies(campaign: Campaign, batch: int) -> None:
    """None missing, none invented, octets equal; copies per kill: at most a window a connection."""
    enough = campaign.table.kills + KILLS // BATCHES
    while campaign.table.kills < enough:
        findings = campaign.live()
        assert findings.are_sound, findings
        assert campaign.books.surprises == []
        assert campaign.table.most_copies <= WINDOW


def test_a_release_by_name_hands_over_only_the_named_messages(campaign: Campaign) -> None:
    before = campaign.destination.taken.total()
    findings = campaign.live_named()
    assert findings.are_sound, findings
    assert campaign.books.surprises == []
    assert campaign.destination.taken.total() > before


def test_in_the_end_everything_is_handed_over(campaign: Campaign) -> None:
    """By a drain of all that so many lives have left."""
    findings = campaign.finish()
    assert findings.are_sound, findings
    assert not campaign.held.keys
    assert campaign.books.acknowledged <= campaign.destination.taken.keys()


def test_a_server_that_says_250_too_early_is_found_out(campaign: Campaign) -> None:
    """The campaign can tell: this is the one test that wants mail lost."""
    lost = campaign.live_until(LIE, 5, is_asked=False).lost
    assert lost
    campaign.books.acknowledged -= lost
