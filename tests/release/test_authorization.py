"""The domains that a request may release, for an account with very many."""

import ipaddress
from dataclasses import replace

import pytest

from restante.release.authorization import NAMED, ReleaseAuthorization, authorize
from restante.release.release_request import Requester, requested_by
from restante.tenancy.etrn_target import parse_etrn_target
from restante.tenancy.model import (
    Account,
    Destination,
    Directory,
    HostedDomain,
    Login,
    parse_authorized_hosts,
)
from restante.tenancy.policy import DEFAULT_POLICY, Policy, Suspension
from restante.tenancy.principal import CONTROL_SOCKET, Principal, Role, account_login
from tests.actors import actor_named

LOGIN = Login("alice", "alpha", "hash", None, 0.0)
HOME = ipaddress.ip_address("192.0.2.1")
ELSEWHERE = "198.51.100.1"
ASKER = Requester(login=LOGIN, address=HOME)
SUSPENDED = Policy(suspension=Suspension("unpaid"))


def domain(number: int, allow: str = str(HOME), policy: Policy = DEFAULT_POLICY) -> HostedDomain:
    name = f"d{number:03}.example"
    return HostedDomain(
        number,
        name,
        "alpha",
        Destination("192.0.2.9"),
        parse_authorized_hosts([allow]),
        0.0,
        policy,
    )


def directory(*domains: HostedDomain) -> Directory:
    accounts = {"alpha": Account("alpha", 0.0)}
    return Directory(1, accounts, {LOGIN.user: LOGIN}, {one.name: one for one in domains})


@pytest.mark.parametrize(
    ("count", "ending"), [(NAMED, ""), (NAMED + 1, " and 1 more"), (NAMED + 50, " and 50 more")]
)
def test_a_reason_names_so_many_domains_and_counts_the_others(count: int, ending: str) -> None:
    others = [domain(number, ELSEWHERE) for number in range(count)]
    named = ", ".join(one.name for one in others[:NAMED])
    target = parse_etrn_target("#alpha")
    refused = authorize(ASKER, target, directory(*others), {}, 0.0)
    assert refused.reason == f"host not authorized for {named}{ending}"
    granted = authorize(ASKER, target, directory(*others, domain(999)), {}, 0.0)
    assert granted.reason == f"granted, but host not authorized for {named}{ending}"
    assert [one.name for one in granted.domains] == ["d999.example"]
    stopped = authorize(
        ASKER,
        target,
        directory(*(domain(number, policy=SUSPENDED) for number in range(count))),
        {},
        0.0,
    )
    assert stopped.reason.endswith(f"d{NAMED - 1:03}.example is suspended: unpaid{ending}")


def test_no_domain_is_compared_with_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ten thousand that took a minute, and all mail waited for it."""

    def compare(_one: object, _other: object) -> bool:
        raise AssertionError("compared")

    some = [domain(number, ELSEWHERE if number % 2 else str(HOME)) for number in range(1, 9)]
    stopped = [domain(number, policy=SUSPENDED) for number in (10, 11)]
    present = directory(*some, *stopped)
    monkeypatch.setattr(HostedDomain, "__eq__", compare)
    found = authorize(ASKER, parse_etrn_target("#alpha"), present, {}, 0.0)
    assert [one.id for one in found.domains] == [2, 4, 6, 8]
    assert [one.id for one in found.suspended] == [10, 11]
    assert list(found.suspensions) == [f"{one.name} is suspended: unpaid" for one in stopped]


@pytest.mark.parametrize("text", ["d002.example", "@d002.example", "#beta", "@example"])
def test_a_principal_of_an_account_releases_its_own_domains_only(text: str) -> None:
    own, foreign = domain(1), replace(domain(2), account="beta")
    target, present = parse_etrn_target(text), directory(own, foreign)
    by_operator = requested_by(
        Principal(Role.OPERATOR, actor_named("operator root"), CONTROL_SOCKET)
    )
    assert foreign in authorize(by_operator, target, present, {}, 0.0).domains or text == "#beta"
    by_account = requested_by(account_login("alice", "alpha", "192.0.2.1"))
    found = authorize(by_account, target, present, {}, 0.0)
    if text == "@example":
        assert [one.id for one in found.domains] == [1]
    else:
        assert found == ReleaseAuthorization((), "the domain belongs to another account")
    assert (by_account.actor.text, by_account.acted_from) == ("login alice", "192.0.2.1")


def test_a_principal_with_a_list_of_domains_releases_these_only() -> None:
    present = directory(domain(1), domain(2))
    listed = frozenset({"d001.example", "gone.example"})
    limited = requested_by(
        Principal(Role.ACCOUNT, actor_named("token t"), "", "alpha", domains=listed)
    )
    found = authorize(limited, parse_etrn_target("@example"), present, {}, 0.0)
    assert [one.id for one in found.domains] == [1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("d001.example", "token t"),
        ("d002.example", "token t is limited to other domains than d002.example"),
        ("d003.example", "the domain belongs to another account"),
        ("#beta", "the domain belongs to another account"),
        ("none.example", "the domain is not hosted here"),
        ("d004.example", "d004.example is suspended: unpaid"),
    ],
)
def test_the_true_reason_is_that_of_the_case(text: str, reason: str) -> None:
    """It stands in the audit trail, and helps to correct the request."""
    present = directory(
        domain(1), domain(2), replace(domain(3), account="beta"), domain(4, policy=SUSPENDED)
    )
    listed = frozenset({"d001.example", "d004.example"})
    token = Principal(Role.ACCOUNT, actor_named("token t"), "", "alpha", domains=listed)
    found = authorize(requested_by(token), parse_etrn_target(text), present, {}, 0.0)
    assert found.reason == reason
