"""Which reports may leave beside those under way."""

from hypothesis import given
from hypothesis import strategies as st

from restante.mail.delivery_report import ReportAction
from restante.queue.report_lanes import (
    ACCOUNT_LANES,
    LANES,
    NONE_OCCUPIED,
    LaneUse,
    ReportLanes,
    lane_kind,
)

URGENT = lane_kind(ReportAction.FAILED, 0)
USES = st.lists(
    st.builds(
        LaneUse,
        st.builds(lane_kind, st.sampled_from(list(ReportAction)), st.integers(0, 2)),
        st.sampled_from("abcd"),
        st.sampled_from("stuvwxyz"),
    ),
    max_size=99,
)


def test_an_account_has_a_share_and_leaves_the_rest_to_others() -> None:
    lanes = ReportLanes()
    taken = [lanes.take(LaneUse(URGENT, "a", f"{number}.example")) for number in range(LANES)]
    assert taken.count(True) == ACCOUNT_LANES < LANES
    assert lanes.take(LaneUse(URGENT, "b", "z.example"))


def test_other_kinds_have_lanes_of_their_own() -> None:
    lanes = ReportLanes()
    for number in range(LANES):
        lanes.take(LaneUse(URGENT, str(number), f"{number}.example"))
    assert not lanes.take(LaneUse(URGENT, "z", "z.example"))
    assert lanes.take(LaneUse(lane_kind(ReportAction.FAILED, 1), "z", "z.example"))
    assert lanes.take(LaneUse(lane_kind(ReportAction.RELAYED, 0), "z", "z.example"))


def test_one_delivery_at_a_time_goes_to_a_target_whatever_the_account() -> None:
    lanes, use = ReportLanes(), LaneUse(URGENT, "a", "z.example")
    assert lanes.take(use)
    assert not lanes.take(use._replace(account="b"))
    lanes.leave(use)
    assert lanes.take(use._replace(account="b"))


@given(USES)
def test_lanes_that_are_given_back_are_free(uses: list[LaneUse]) -> None:
    lanes = ReportLanes()
    taken = [use for use in uses if lanes.take(use)]
    assert not any(lanes.occupied().admit(use) for use in taken)
    for use in taken:
        lanes.leave(use)
    assert lanes.occupied() == NONE_OCCUPIED
