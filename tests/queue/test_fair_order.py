"""In which order reports leave."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.delivery_report import ReportAction
from restante.queue.fair_order import DueReport, fair_order, over_limit
from restante.queue.report_lanes import LaneUse

REPORTS = st.lists(
    st.tuples(st.sampled_from(list(ReportAction)), st.sampled_from("abc"), st.sampled_from("xyz")),
    max_size=60,
).map(lambda rows: [DueReport(number, *row) for number, row in enumerate(rows)])


def test_a_flood_of_successes_is_behind_another_customers_failure() -> None:
    flood = [
        DueReport(number, ReportAction.RELAYED, "alpha", "stranger.example")
        for number in range(1000)
    ]
    bounce = DueReport(1000, ReportAction.FAILED, "beta", "b.example")
    late = DueReport(1001, ReportAction.DELAYED, "beta", "b.example")
    assert fair_order([*flood, late, bounce])[:3] == [1000, 1001, 0]


def test_accounts_take_turns_and_so_do_target_domains() -> None:
    flood = [DueReport(number, ReportAction.FAILED, "alpha", "x.example") for number in range(10)]
    others = [
        DueReport(10, ReportAction.FAILED, "alpha", "y.example"),
        DueReport(11, ReportAction.FAILED, "beta", "x.example"),
    ]
    assert fair_order([*flood, *others])[:4] == [0, 11, 10, 1]


def test_the_subdomains_of_one_stranger_take_turns_as_one() -> None:
    flood = [
        DueReport(number, ReportAction.FAILED, "alpha", f"x{number}.evil.example")
        for number in range(10)
    ]
    customers = [
        DueReport(10 + number, ReportAction.FAILED, "alpha", f"{name}.example")
        for number, name in enumerate("yz")
    ]
    assert fair_order([*flood, *customers])[:4] == [0, 10, 11, 1]


@pytest.mark.parametrize("rival", ["beta y.example", "alpha y.example", "alpha y.evil.example"])
def test_where_one_may_leave_at_a_time_shares_still_take_turns(rival: str) -> None:
    """The flood is older; after some of it has left, it is the other's turn."""
    account, target = rival.split()
    flood = [
        DueReport(number, ReportAction.FAILED, "alpha", f"x{number % 2}.evil.example")
        for number in range(9)
    ]
    due = [*flood, DueReport(9, ReportAction.FAILED, account, target)]
    turns: list[LaneUse] = []
    order: list[int] = []
    for _ in range(3):
        order.append(fair_order(due, turns)[0])
        [left] = [one for one in due if one.number == order[-1]]
        due.remove(left)
        turns.append(left.use)
    assert 9 in order


@given(REPORTS)
def test_each_leaves_once_and_no_kind_before_a_more_urgent_one(due: list[DueReport]) -> None:
    order = fair_order(due)
    assert sorted(order) == [report.number for report in due]
    actions = [due[number].action for number in order]
    assert actions == sorted(
        actions, key=[ReportAction.FAILED, ReportAction.DELAYED, ReportAction.RELAYED].index
    )


@given(REPORTS, st.sampled_from("abc"))
def test_no_account_waits_for_more_than_one_report_of_each_other(
    due: list[DueReport], account: str
) -> None:
    for action in ReportAction:
        order = [due[number].account for number in fair_order(due) if due[number].action is action]
        if account in order:
            before = order[: order.index(account)]
            assert len(before) == len(set(before))


def test_over_the_limit_the_largest_shares_lose_their_newest() -> None:
    flood = [
        DueReport(number, ReportAction.RELAYED, "alpha", "stranger.example") for number in range(10)
    ]
    others = [
        DueReport(10, ReportAction.RELAYED, "alpha", "y.example"),
        DueReport(11, ReportAction.RELAYED, "beta", "x.example"),
        DueReport(12, ReportAction.RELAYED, "beta", "x.example"),
    ]
    assert sorted(over_limit([*flood, *others], 5)) == [2, 3, 4, 5, 6, 7, 8, 9]
    assert over_limit([*flood, *others], 13) == []
    assert len(over_limit(flood, 0)) == 10


@given(REPORTS, st.integers(0, 60))
def test_no_more_than_the_limit_are_left(waiting: list[DueReport], limit: int) -> None:
    dropped = over_limit(waiting, limit)
    assert len(set(dropped)) == len(dropped) == max(len(waiting) - limit, 0)
