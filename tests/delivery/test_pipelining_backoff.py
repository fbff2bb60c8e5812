"""Which pipelining is left off at a destination after each failure, and for how long."""

from typing import Any

import pytest

from restante.delivery.link_plan import ConnectionEnd, EndKind, SendingManner
from restante.delivery.pipelining_backoff import PipeliningBackoff
from restante.smtp.pipelining import Pipelining
from tests.smtp.client_talk import mail

HOUR, DAY = 3600.0, 86400.0
OFF, OPENING, ACROSS, AHEAD = Pipelining


class Scene:
    def __init__(self) -> None:
        self.now = 0.0
        self.backoff = PipeliningBackoff(lambda: self.now)

    def learn(self, kind: EndKind = EndKind.BROKEN, **facts: Any) -> None:
        fields = {"reason": "", "was_ready": True, "outstanding": (), "tls": "", **facts}
        self.backoff.learn("d", ConnectionEnd(kind, **fields))

    def allowed(self, destination: str = "d") -> Pipelining:
        return self.backoff.pipelining(destination)


def test_a_destination_without_failures_bears_everything() -> None:
    scene = Scene()
    scene.learn(EndKind.QUIT)
    scene.learn(EndKind.BROKEN)
    assert scene.allowed() is AHEAD
    assert scene.backoff.uses_ehlo("d")


@pytest.mark.parametrize(
    ("level", "seconds", "left"),
    [(AHEAD, DAY, ACROSS), (ACROSS, DAY, OPENING), (OPENING, HOUR, OFF)],
)
def test_a_failed_level_is_left_off_for_its_time_at_that_destination_only(
    level: Pipelining, seconds: float, left: Pipelining
) -> None:
    scene = Scene()
    scene.learn(not_borne=level)
    scene.now = seconds - 1
    assert (scene.allowed(), scene.allowed("other")) == (left, AHEAD)
    scene.now = seconds
    assert scene.allowed() is AHEAD


def test_of_several_failures_the_lowest_level_counts_and_each_has_its_own_time() -> None:
    scene = Scene()
    scene.learn(not_borne=AHEAD)
    scene.learn(not_borne=OPENING)
    assert scene.allowed() is OFF
    scene.now = HOUR
    assert scene.allowed() is ACROSS


@pytest.mark.parametrize(
    ("pause", "left"), [(HOUR - 1, ACROSS), (HOUR, AHEAD)], ids=["within an hour", "later"]
)
def test_the_second_lost_window_within_an_hour_is_a_failure(pause: float, left: Pipelining) -> None:
    scene = Scene()
    lost: dict[str, Any] = {"manner": SendingManner.AHEAD, "outstanding": (mail(1),)}
    scene.learn(**lost)
    assert scene.allowed() is AHEAD
    scene.now = pause
    scene.learn(**lost)
    assert scene.allowed() is left
    scene.now = pause + HOUR
    assert scene.allowed() is AHEAD


@pytest.mark.parametrize(
    "facts",
    [
        {"manner": SendingManner.AHEAD},
        {"manner": SendingManner.DATA, "outstanding": (mail(1),)},
        {"kind": EndKind.BUSY, "manner": SendingManner.AHEAD, "outstanding": (mail(1),)},
    ],
    ids=["empty window", "no window", "421"],
)
def test_an_end_that_makes_no_copies_is_no_loss(facts: dict[str, Any]) -> None:
    scene = Scene()
    scene.learn(**facts)
    scene.learn(**facts)
    assert scene.allowed() is AHEAD


def test_helo_is_sent_for_an_hour_where_it_was_taken_in_place_of_ehlo() -> None:
    scene = Scene()
    scene.learn(was_ready=False, uses_ehlo=False)
    assert scene.backoff.uses_ehlo("d"), "it took no HELO either"
    scene.learn(EndKind.QUIT, uses_ehlo=False)
    assert not scene.backoff.uses_ehlo("d")
    assert scene.backoff.uses_ehlo("other")
    scene.now = HOUR / 2
    scene.learn(EndKind.QUIT, uses_ehlo=False)
    scene.now = HOUR
    assert scene.backoff.uses_ehlo("d"), "sessions by HELO do not extend the hour"


def test_tls_is_left_off_for_an_hour_at_that_destination_only() -> None:
    scene = Scene()
    assert scene.backoff.uses_tls("d")
    scene.backoff.leave_tls_off("d")
    scene.now = HOUR - 1
    assert (scene.backoff.uses_tls("d"), scene.backoff.uses_tls("other")) == (False, True)
    scene.now = HOUR
    assert scene.backoff.uses_tls("d")
