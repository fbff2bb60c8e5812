"""The number of messages on one connection, learned from the ends of connections."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.delivery.connection_allowance import (
    MESSAGES_OF_ANY_AGE,
    ConnectionAllowance,
    takes_more,
)
from restante.delivery.link_plan import ConnectionEnd, EndKind

MOST = 1000


def end(delivered: int, kind: EndKind = EndKind.BUSY) -> ConnectionEnd:
    return ConnectionEnd(kind, "", True, (), "", delivered=delivered)


def allowed_after(*ends: ConnectionEnd) -> int:
    allowance = ConnectionAllowance(MOST)
    for one in ends:
        allowance.learn(one)
    return allowance.messages


@pytest.mark.parametrize(
    ("ends", "messages"),
    [
        ([], MOST),
        ([end(5)], MOST),
        ([end(5), end(5)], 5),
        ([end(5), end(5, EndKind.BROKEN)], 5),
        ([end(5), end(6)], MOST),
        ([end(5), end(6), end(5)], MOST),
        ([end(5), end(0), end(5)], 5),
        ([end(5), end(3, EndKind.QUIT), end(5)], 5),
        ([end(5), end(5, EndKind.ABORTED)], MOST),
        ([end(0), end(0)], MOST),
        ([end(5), end(5), end(2), end(2)], 2),
        ([end(2), end(2), end(5), end(5)], 2),
    ],
)
def test_two_ends_in_a_row_after_the_same_number_are_the_limit(
    ends: list[ConnectionEnd], messages: int
) -> None:
    assert allowed_after(*ends) == messages


@given(st.lists(st.builds(end, st.integers(0, 2 * MOST), st.sampled_from(EndKind))))
def test_there_is_always_at_least_one_and_never_more_than_configured(
    ends: list[ConnectionEnd],
) -> None:
    assert 1 <= allowed_after(*ends) <= MOST


@pytest.mark.parametrize(
    ("begun", "seconds", "most", "takes"),
    [
        (0, 0.0, 1, True),
        (1, 0.0, 1, False),
        (MESSAGES_OF_ANY_AGE - 1, 9999.0, 10_000, True),
        (MESSAGES_OF_ANY_AGE, 239.0, 10_000, True),
        (MESSAGES_OF_ANY_AGE, 240.0, 10_000, False),
        (9_999, 0.0, 10_000, True),
        (10_000, 0.0, 10_000, False),
    ],
)
def test_a_quick_connection_takes_more_than_one_that_lasts_long(
    begun: int, seconds: float, most: int, *, takes: bool
) -> None:
    assert takes_more(begun, seconds, most) is takes
