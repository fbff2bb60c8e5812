"""The effect of a policy at a moment, row by row."""

from typing import Any

import pytest

from restante.tenancy.policy import (
    AcceptPolicy,
    AtEnd,
    ForcedAcceptance,
    HoldPolicy,
    Policy,
    RecipientPolicy,
    Retention,
    Suspension,
)
from restante.tenancy.quota import Quota


@pytest.mark.parametrize(
    ("until", "now", "is_on"), [(None, 1e12, True), (100.0, 99.9, True), (100.0, 100.0, False)]
)
def test_a_suspension_ends_by_itself(until: float | None, now: float, is_on: bool) -> None:
    policy = Policy(hold=HoldPolicy.RELAY, suspension=Suspension("not paid", until))
    assert (policy.suspension_at(now) is not None) is is_on
    assert policy.leaves_unasked(now) is not is_on


@pytest.mark.parametrize(
    ("hold", "leaves"),
    [(HoldPolicy.UNTIL_ASKED, False), (HoldPolicy.ON_RETURN, True), (HoldPolicy.RELAY, True)],
)
def test_only_where_it_is_wanted_mail_leaves_unasked(hold: HoldPolicy, leaves: bool) -> None:
    assert Policy(hold=hold).leaves_unasked(0.0) is leaves


ON, OFF = ForcedAcceptance(is_on=True, until=100.0), ForcedAcceptance(is_on=False, until=100.0)


@pytest.mark.parametrize(
    ("accept", "forced", "now", "is_up", "is_put_off"),
    [
        (AcceptPolicy.ALWAYS, None, 0.0, True, False),
        (AcceptPolicy.WHEN_DOWN, None, 0.0, True, True),
        (AcceptPolicy.WHEN_DOWN, None, 0.0, False, False),
        (AcceptPolicy.WHEN_DOWN, ON, 99.0, True, False),
        (AcceptPolicy.WHEN_DOWN, ON, 100.0, True, True),
        (AcceptPolicy.WHEN_DOWN, OFF, 99.0, False, True),
        (AcceptPolicy.ALWAYS, OFF, 99.0, False, True),
        (AcceptPolicy.ALWAYS, OFF, 100.0, True, False),
    ],
)
def test_when_mail_is_left_to_the_destination(
    accept: AcceptPolicy, forced: ForcedAcceptance | None, now: float, is_up: bool, is_put_off: bool
) -> None:
    policy = Policy(hold=HoldPolicy.ON_RETURN, accept=accept, forced=forced)
    assert policy.awaits_outage(now, is_up=is_up) is is_put_off


@pytest.mark.parametrize(
    "wish",
    [
        {"suspension": Suspension("x")},
        {"accept": AcceptPolicy.WHEN_DOWN},
        {"forced": ForcedAcceptance(is_on=False)},
        {"recipients": RecipientPolicy.LIST},
        {"quota": Quota(octets=1)},
        {"quota": Quota(messages=1)},
        {"message_octets": 1},
    ],
)
def test_whatever_is_against_some_mail_is_looked_at(wish: dict[str, Any]) -> None:
    assert not Policy(**wish).takes_everything


def test_rules_for_leaving_mail_refuse_no_mail() -> None:
    leaving = Policy(
        hold=HoldPolicy.RELAY,
        retention=Retention(1.0, AtEnd.DELETE),
        refused_retention=Retention(1.0),
    )
    assert Policy().takes_everything
    assert leaving.takes_everything
