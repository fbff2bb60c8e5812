"""Principals: the accounts that exist for each of them."""

import pytest

from restante.tenancy.principal import (
    CONTROL_SOCKET,
    NOBODY,
    THIS_SERVER,
    Principal,
    Role,
    account_login,
    policy_rule,
)
from tests.actors import actor_named

OPERATOR = Principal(Role.OPERATOR, actor_named("operator root"), CONTROL_SOCKET)
ALICE = account_login("alice", "alpha", "192.0.2.1")


@pytest.mark.parametrize(
    ("principal", "seen"),
    [
        (OPERATOR, ["alpha", "beta", ""]),
        (policy_rule("retention"), ["alpha", "beta", ""]),
        (ALICE, ["alpha"]),
        (account_login("mallory", "", "192.0.2.1"), []),
        (NOBODY, []),
    ],
    ids=lambda one: one.name if isinstance(one, Principal) else "",
)
def test_a_principal_sees_accounts(principal: Principal, seen: list[str]) -> None:
    assert [account for account in ("alpha", "beta", "") if principal.sees(account)] == seen


def test_the_audit_trail_names_a_login_and_a_policy() -> None:
    assert (ALICE.name, ALICE.acted_from) == ("login alice", "192.0.2.1")
    rule = policy_rule("retention")
    assert (rule.name, rule.acted_from) == ("policy retention", THIS_SERVER)
