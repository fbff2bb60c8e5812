"""How often one thing is told: the table of the module, row by row."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.notices.throttle import DAY, DueNotice, hear, is_over, let_go
from restante.tenancy.notice import NoticeKind, QuietTopic
from tests.notices.scene import notice_facts
from tests.wire import NOW

HOUR = 3600.0
FIRST, LAST = notice_facts(), replace(notice_facts(), text="the last of them")
QUIET = QuietTopic(FIRST.topic, NOW + HOUR)
STEP = notice_facts("a certificate", "", NoticeKind.CERTIFICATE_EXPIRING)


def test_the_first_is_told_at_once_with_the_number_of_others_like_it() -> None:
    assert hear(None, FIRST, 1, NOW, HOUR) == (DueNotice(FIRST, 0), QUIET)
    assert hear(None, FIRST, 5, NOW, HOUR) == (DueNotice(FIRST, 4), QUIET)


def test_further_ones_are_held_back_and_counted_and_do_not_extend_the_pause() -> None:
    telling, quiet = hear(QUIET, FIRST, 2, NOW + 1, HOUR)
    assert telling is None
    telling, quiet = hear(quiet, LAST, 3, NOW + 2, HOUR)
    assert telling is None
    assert quiet == replace(QUIET, held_back=5, last=LAST)


def test_after_the_pause_the_last_is_told_and_another_pause_begins() -> None:
    ended = replace(QUIET, held_back=5, last=LAST)
    later = NOW + 2 * HOUR
    assert let_go(ended, later, HOUR) == (DueNotice(LAST, 4), QuietTopic(FIRST.topic, later + HOUR))


def test_a_topic_of_which_nothing_was_held_back_is_forgotten() -> None:
    assert let_go(QUIET, NOW + HOUR, HOUR) == (None, None)


def test_a_step_of_a_certificate_is_told_once_in_a_month_and_not_after_it() -> None:
    telling, quiet = hear(None, STEP, 1, NOW, HOUR)
    assert telling == DueNotice(STEP, 0)
    assert quiet.until == NOW + 30 * DAY
    assert hear(quiet, STEP, 1, NOW + DAY, HOUR) == (None, quiet)
    assert let_go(quiet, quiet.until, HOUR) == (None, None)


@pytest.mark.parametrize(
    ("after", "expected"),
    [(0.0, False), (HOUR - 1, False), (HOUR, True), (2 * HOUR, True), (-1.0, False), (-60.0, True)],
    ids=["at once", "soon", "at its end", "later", "rounding", "clock set back"],
)
def test_a_pause_is_over_at_its_end_or_if_that_is_too_far_away(
    after: float, expected: bool
) -> None:
    assert is_over(QUIET, NOW + after, HOUR) is expected


@pytest.mark.parametrize(("pause", "expected"), [(HOUR / 2, True), (0.0, True), (2 * HOUR, False)])
def test_a_shorter_pause_in_the_settings_ends_longer_ones(pause: float, expected: bool) -> None:
    assert is_over(QUIET, NOW, pause) is expected


@given(st.lists(st.integers(1, 50), min_size=1))
def test_every_event_is_told_or_counted(counts: list[int]) -> None:
    told, quiet = 0, None
    for count in counts:
        telling, quiet = hear(quiet, FIRST, count, NOW, HOUR)
        told += 0 if telling is None else 1 + telling.held_back
    assert quiet is not None
    telling, _ = let_go(quiet, NOW + HOUR, HOUR)
    told += 0 if telling is None else 1 + telling.held_back
    assert told == sum(counts)
