"""Counting drains that put a message off: each once, whatever it tries."""

from hypothesis import given
from hypothesis import strategies as st

from restante.mail.policy_deferrals import (
    MARK_BITS,
    MOST_DRAINS,
    NO_DEFERRALS,
    PolicyDeferrals,
    drain_mark,
)

MARKS = st.integers(0, 2**MARK_BITS - 1)


def test_a_drain_counts_once() -> None:
    once = NO_DEFERRALS.in_drain(5)
    assert once == PolicyDeferrals(1, 5)
    assert once.in_drain(5) == once
    assert once.in_drain(6).in_drain(6) == PolicyDeferrals(2, 6)


def test_the_count_is_bounded() -> None:
    assert PolicyDeferrals(MOST_DRAINS, 5).in_drain(6) == PolicyDeferrals(MOST_DRAINS, 6)


@given(drains=st.integers(0, MOST_DRAINS), last=MARKS, mark=MARKS)
def test_for_a_drain_it_is_before_it_or_not_whatever_the_drain_counts(
    drains: int, last: int, mark: int
) -> None:
    """Otherwise a message would change its place in the order of the drain."""
    deferrals = PolicyDeferrals(drains, last if drains else 0)
    assert deferrals.in_drain(mark).is_before(mark) == deferrals.is_before(mark)


def test_mail_that_was_never_deferred_was_not_deferred_before() -> None:
    assert not NO_DEFERRALS.is_before(0)
    assert PolicyDeferrals(1, 5).is_before(6)


@given(st.floats(0, 1e11))
def test_a_mark_is_of_the_request(requested_at: float) -> None:
    assert drain_mark(requested_at) == drain_mark(requested_at)
    assert 0 <= drain_mark(requested_at) < 2**MARK_BITS


def test_marks_of_drains_differ_as_a_rule() -> None:
    marks = {drain_mark(1.8e9 + number / 10) for number in range(100)}
    assert len(marks) > 95
