"""Policies and quotas as text in a column: whole, and readable beside other versions."""

import json
from dataclasses import asdict

import pytest

from restante.store.stored_form.policy_column import (
    policy_text,
    quota_text,
    read_policy,
    read_quota,
)
from restante.tenancy.policy import DEFAULT_POLICY, HoldPolicy, Policy, Suspension
from restante.tenancy.quota import NO_QUOTA, Quota

CHANGED = Policy(hold=HoldPolicy.RELAY, suspension=Suspension("unpaid", until=7.5))


@pytest.mark.parametrize("policy", [DEFAULT_POLICY, CHANGED])
def test_a_policy_comes_back_as_it_was(policy: Policy) -> None:
    assert read_policy(policy_text(policy)) == policy


def test_every_field_is_written_so_that_a_later_default_changes_no_domain() -> None:
    assert json.loads(policy_text(DEFAULT_POLICY)).keys() == asdict(DEFAULT_POLICY).keys()


def test_a_field_of_an_earlier_or_a_later_version_stops_nothing() -> None:
    earlier = json.loads(policy_text(CHANGED))
    del earlier["suspension"]
    assert read_policy(json.dumps(earlier)) == Policy(hold=HoldPolicy.RELAY)
    later = json.loads(policy_text(CHANGED)) | {"not_known_yet": 1}
    assert read_policy(json.dumps(later)) == CHANGED


@pytest.mark.parametrize("quota", [NO_QUOTA, Quota(10, None), Quota(None, 0), Quota(1, 2)])
def test_a_quota_comes_back_as_it_was(quota: Quota) -> None:
    assert read_quota(quota_text(quota)) == quota


def test_an_empty_column_is_the_default() -> None:
    assert (read_policy(""), read_quota("")) == (DEFAULT_POLICY, NO_QUOTA)


@pytest.mark.parametrize("text", ["{", "[]", '{"hold": "sometimes"}'])
def test_an_invalid_policy_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        read_policy(text)
