"""Quotas: the room that is left, and the steps at which somebody is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.tenancy.quota import NO_QUOTA, Quota


@pytest.mark.parametrize(
    ("quota", "octets", "messages", "size", "has_room"),
    [
        (Quota(), 1 << 60, 1 << 40, 1 << 40, True),
        (Quota(octets=100), 99, 5, 0, True),
        (Quota(octets=100), 100, 5, 0, False),
        (Quota(octets=100), 60, 5, 40, True),
        (Quota(octets=100), 60, 5, 41, False),
        (Quota(messages=2), 0, 1, 9, True),
        (Quota(messages=2), 0, 2, 0, False),
        (Quota(messages=0), 0, 0, 0, False),
    ],
)
def test_a_message_fits_while_there_is_room(
    quota: Quota, octets: int, messages: int, size: int, has_room: bool
) -> None:
    assert quota.has_room(octets, messages, size) is has_room


@pytest.mark.parametrize(
    ("octets", "messages", "step"),
    [(79, 0, 0), (80, 0, 80), (99, 0, 80), (100, 0, 100), (300, 0, 100), (0, 8, 80)],
)
def test_the_fuller_limit_decides_about_the_step(octets: int, messages: int, step: int) -> None:
    assert Quota(octets=100, messages=10).step(octets, messages) == step


def test_without_a_quota_nothing_is_ever_full() -> None:
    assert Quota().step(1 << 60, 1 << 40) == 0


def test_only_a_quota_without_a_limit_is_none() -> None:
    assert NO_QUOTA.is_none
    assert not Quota(octets=0).is_none
    assert not Quota(messages=0).is_none


counts = st.integers(0, 1 << 40)


@given(counts, counts, counts, counts)
def test_a_quota_without_room_is_at_its_last_step(
    octets: int, messages: int, limit: int, other: int
) -> None:
    quota = Quota(limit, other)
    assert quota.has_room(octets, messages) is (quota.step(octets, messages) < 100)
