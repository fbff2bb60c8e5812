"""Each assertion of a campaign fails where it must."""

from collections import Counter

import pytest

from tests.cluster.campaign_result import Result
from tests.cluster.fault_plan import plan_faults
from tests.cluster.live_owners import Taken


def result(*taken: Taken, acknowledged: str = "x") -> Result:
    """The result of a campaign with one fault and a window of two."""
    found = Result(seed=1, window=2, faults=plan_faults(1, 1))
    found.take_deliveries(taken, {acknowledged}, [])
    return found


def delivery(at: float, node: str = "a", token: str = "x") -> Taken:
    """A delivery of a second."""
    return Taken(token, node, "d0.example", at - 1, at)


def test_a_good_campaign_has_nothing_to_complain_of() -> None:
    good = result(delivery(1), delivery(2), delivery(3, token="not acknowledged"))
    assert list(good.complaints()) == []
    assert "1 acknowledged, 0 lost, 1 copies" in str(good)


def test_a_loss_is_found() -> None:
    assert list(result(delivery(1, token="another")).complaints()) == ["1 lost, such as ['x']"]


def test_too_many_copies_are_found() -> None:
    [complaint] = result(*(delivery(at) for at in range(4))).complaints()
    assert complaint == "3 copies, and at most 2 are allowed"


def test_two_live_owners_are_found() -> None:
    [complaint] = result(delivery(1), delivery(1.5, "b")).complaints()
    assert complaint.startswith("two live owners: ")


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("drift", 1, "the figures of 1 domains are wrong"),
        ("takeovers", [1.0, 11.0], "a takeover took 11.00 s"),
        ("replies", Counter({"250": 3, "550": 1}), "senders were refused for good: {'550'}"),
        ("exits", Counter({75: 2, 1: 1}), "servers left with [1]"),
        ("acknowledged", 0, "nothing was acknowledged"),
    ],
)
def test_everything_else_is_found(name: str, value: object, complaint: str) -> None:
    bad = result(delivery(1))
    setattr(bad, name, value)
    assert list(bad.complaints()) == [complaint]


def test_one_slow_takeover_in_two_hundred_is_passed_over() -> None:
    many = result(delivery(1))
    many.takeovers = [1.0] * 199 + [12.0]
    assert list(many.complaints()) == []
