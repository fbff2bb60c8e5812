"""The number of messages on one connection, learned from the ends of connections."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.delivery.connection_allowance import ConnectionAllowance
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
