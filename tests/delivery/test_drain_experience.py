"""The next drain of a destination begins by the end of the last one."""

import pytest

from restante.delivery.drain_experience import AttemptStart, DrainExperience, GoodDrain
from restante.smtp.chunking_probe import ChunkingProbeResult, SendingMode
from restante.smtp.ehlo_offer import NO_OFFER
from restante.smtp.pipelining import Pipelining

MOST = 20
PROBED = ChunkingProbeResult(NO_OFFER, SendingMode.AHEAD, has_codes=True)
ONE_BY_ONE = AttemptStart(MOST, 1, Pipelining.AHEAD, None)


class Scene:
    def __init__(self) -> None:
        self.now = 0.0
        self.experience = DrainExperience(lambda: self.now)

    def beginning(
        self, name: str = "d", most: int = MOST, *, is_paced: bool = False
    ) -> AttemptStart:
        return self.experience.beginning(name, most, is_paced=is_paced)


def test_a_new_destination_gets_one_connection_first() -> None:
    assert Scene().beginning() == ONE_BY_ONE


@pytest.mark.parametrize(("most", "first"), [(20, 8), (8, 8), (4, 4)])
def test_after_a_good_drain_as_many_begin_at_once_with_its_probe_and_windows(
    most: int, first: int
) -> None:
    scene = Scene()
    scene.experience.went_well("d", GoodDrain(8, PROBED, 64, 32))
    start = AttemptStart(most, first, Pipelining.AHEAD, PROBED, 64, window=32)
    assert scene.beginning(most=most) == start
    assert scene.beginning("other") == ONE_BY_ONE


def test_a_good_drain_counts_for_a_day() -> None:
    scene = Scene()
    scene.experience.went_well("d", GoodDrain(8, PROBED, 64, 64))
    scene.now = 86_399.0
    assert scene.beginning().first == 8
    scene.now = 86_400.0
    assert scene.beginning() == ONE_BY_ONE


def test_for_an_hour_no_more_are_made_at_once_than_were_left_after_a_loss() -> None:
    scene = Scene()
    scene.experience.was_crowded("d", 6)
    scene.now = 3599.0
    assert (scene.beginning().at_once, scene.beginning("other").at_once) == (6, None)
    scene.now = 3600.0
    assert scene.beginning() == ONE_BY_ONE


def test_a_failure_forgets_the_good_drain() -> None:
    scene = Scene()
    scene.experience.went_well("d", GoodDrain(8, PROBED))
    scene.experience.went_badly("d")
    scene.experience.went_badly("never seen")
    assert scene.beginning() == ONE_BY_ONE


def test_a_rate_limit_counts_for_an_hour_and_then_the_destination_is_new() -> None:
    scene = Scene()
    scene.experience.went_well("d", GoodDrain(8, PROBED))
    scene.experience.met_limit("d")
    scene.now = 3599.0
    limited = AttemptStart(1, 1, Pipelining.OPENING, None, is_limited=True)
    assert (scene.beginning(), scene.beginning("other")) == (limited, ONE_BY_ONE)
    scene.now = 3600.0
    assert scene.beginning() == ONE_BY_ONE


def test_a_number_a_minute_means_one_connection_without_windows() -> None:
    scene = Scene()
    scene.experience.went_well("d", GoodDrain(8, PROBED))
    assert scene.beginning(is_paced=True) == AttemptStart(1, 1, Pipelining.OPENING, None)


def test_a_destination_that_took_mail_is_known_whatever_follows() -> None:
    scene = Scene()
    assert not scene.experience.has_taken_mail("d")
    scene.experience.took_mail("d")
    scene.experience.went_badly("d")
    assert scene.experience.has_taken_mail("d")
    assert not scene.experience.has_taken_mail("other")


def test_unanswered_mechanisms_are_counted_by_destination_and_user() -> None:
    scene = Scene()
    scene.experience.unanswered_mechanisms("d", "mx2")["PLAIN"] += 1
    assert scene.experience.unanswered_mechanisms("d", "mx2") == {"PLAIN": 1}
    assert scene.experience.unanswered_mechanisms("d", "mx3") == {}


def test_useless_mechanisms_are_kept_by_destination_and_user() -> None:
    scene = Scene()
    scene.experience.useless_mechanisms("d", "mx2").add("PLAIN")
    assert scene.experience.useless_mechanisms("d", "mx2") == {"PLAIN"}
    assert scene.experience.useless_mechanisms("d", "mx3") == set()
    assert scene.experience.useless_mechanisms("other", "mx2") == set()
