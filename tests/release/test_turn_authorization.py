"""Which domains a client may take over its own connection, as a table."""

import ipaddress
from dataclasses import replace

import pytest

from restante.release.release_request import Requester
from restante.release.turn_authorization import authorize_turn, parse_turn_targets
from restante.tenancy.etrn_target import EtrnTargetKind
from restante.tenancy.model import (
    Account,
    Destination,
    Directory,
    HostedDomain,
    Login,
    parse_authorized_hosts,
)
from restante.tenancy.policy import DEFAULT_POLICY, Policy, Suspension, TurnaroundPolicy

HOME = ipaddress.ip_address("192.0.2.10")
ELSEWHERE = ipaddress.ip_address("203.0.113.9")
ALLOW = Policy(turnaround=TurnaroundPolicy.ALLOW)
SUSPENDED = replace(ALLOW, suspension=Suspension("unpaid"))
LOGIN = Login("primary", "alpha", "hash", None, 0.0, turnaround=True)


def domain(name: str, account: str, policy: Policy, allow: str = "192.0.2.0/24") -> HostedDomain:
    hosts = parse_authorized_hosts([allow])
    return HostedDomain(1, name, account, Destination("p.example"), hosts, 0.0, policy)


DIRECTORY = Directory(
    accounts={name: Account(name, 0.0) for name in ("alpha", "beta", "gamma", "delta")},
    logins={LOGIN.user: LOGIN},
    domains={
        one.name: one
        for one in (
            domain("a.example", "alpha", ALLOW),
            domain("b.example", "alpha", ALLOW),
            domain("sub.b.example", "alpha", ALLOW),
            domain("closed.example", "alpha", DEFAULT_POLICY),
            domain("far.example", "alpha", ALLOW, "203.0.113.0/24"),
            domain("off.example", "alpha", SUSPENDED),
            domain("other.example", "beta", ALLOW),
        )
    },
)


@pytest.mark.parametrize(
    ("argument", "granted", "suspended", "reason"),
    [
        ("a.example", "a.example", "", "granted"),
        ("a.example,b.example", "a.example b.example", "", "granted"),
        ("b.example, a.example", "a.example b.example", "", "granted"),
        ("a.example,A.example", "a.example", "", "granted"),
        ("@b.example", "b.example sub.b.example", "", "granted"),
        ("#alpha", "a.example b.example sub.b.example", "off.example", "granted, but"),
        ("", "a.example b.example sub.b.example", "off.example", "granted, but"),
        ("off.example", "", "off.example", "unpaid"),
        ("off.example,a.example", "a.example", "off.example", "granted, but"),
        # one that may not be taken refuses all
        ("closed.example", "", "", "no turnaround is allowed for closed.example"),
        ("a.example,closed.example", "", "", "no turnaround is allowed for closed.example"),
        ("a.example,far.example", "", "", "host not authorized for far.example"),
        ("a.example,other.example", "", "", "the domain belongs to another account"),
        ("a.example,none.example", "", "", "the domain is not hosted here"),
        ("#beta", "", "", "none of these may be taken from here: other.example"),
        ("@none.example", "", "", "the domain is not hosted here"),
    ],
)
def test_all_that_is_named_must_be_allowed(
    argument: str, granted: str, suspended: str, reason: str
) -> None:
    targets = parse_turn_targets(argument)
    found = authorize_turn(Requester(LOGIN, HOME), targets, DIRECTORY, {}, 1.0)
    assert " ".join(one.name for one in found.domains) == granted
    assert " ".join(one.name for one in found.suspended) == suspended
    assert reason in found.reason


@pytest.mark.parametrize(
    ("requester", "reason"),
    [
        (Requester(None, HOME), "not authenticated"),
        (Requester(replace(LOGIN, turnaround=False), HOME), "not authenticated"),  # changed since
        (Requester(LOGIN, ELSEWHERE), ""),
        (Requester(LOGIN, None), "host not authorized for a.example"),
    ],
)
def test_the_login_and_the_address_matter(requester: Requester, reason: str) -> None:
    targets = parse_turn_targets("a.example")
    found = authorize_turn(requester, targets, DIRECTORY, {}, 1.0)
    assert not found.is_granted
    assert reason in found.reason


def test_a_login_whose_time_is_over_gets_nothing() -> None:
    for until, count in ((1.1, 1), (1.0, 0)):
        login = replace(LOGIN, valid_until=until)
        directory = replace(DIRECTORY, logins={login.user: login})
        targets = parse_turn_targets("a.example")
        found = authorize_turn(Requester(login, HOME), targets, directory, {}, 1.0)
        assert len(found.domains) == count


def test_a_login_without_the_right_gets_nothing() -> None:
    plain = replace(LOGIN, turnaround=False)
    directory = replace(DIRECTORY, logins={plain.user: plain})
    for argument in ("", "a.example"):
        targets = parse_turn_targets(argument)
        found = authorize_turn(Requester(plain, HOME), targets, directory, {}, 1.0)
        assert (found.domains, found.reason) == ((), "the login has no right to a turnaround")


def test_no_domain_is_taken_from_a_host_that_is_authorized_for_none() -> None:
    far = ipaddress.ip_address("198.51.100.1")
    found = authorize_turn(Requester(LOGIN, far), (), DIRECTORY, {}, 1.0)
    assert found.domains == ()
    assert "none of these may be taken from here" in found.reason


@pytest.mark.parametrize(
    ("argument", "keys"),
    [
        ("", []),
        ("a.example", ["a.example"]),
        ("a.example, b.example", ["a.example", "b.example"]),
        ("a.example ,\tb.example", ["a.example", "b.example"]),
        ("@a.example,#alpha", ["a.example", "alpha"]),
        ("@a.example,a.example", ["a.example", "a.example"]),
        (",".join(["@a.example", "@A.example"] * 500), ["a.example"]),  # each costs a look at all
    ],
)
def test_the_argument_is_a_list_with_commas(argument: str, keys: list[str]) -> None:
    assert [one.key for one in parse_turn_targets(argument)] == keys


@pytest.mark.parametrize("argument", [",", "a.example,", "a.example b.example", "a..b", "#a b"])
def test_anything_else_is_no_argument(argument: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_turn_targets(argument)


def test_the_kinds_of_targets_are_those_of_etrn() -> None:
    kinds = [one.kind for one in parse_turn_targets("a.example,@a.example,#alpha")]
    assert kinds == list(EtrnTargetKind)


@pytest.mark.parametrize(("seconds", "reason"), [(-1.0, "is not in force yet"), (0.0, "granted")])
def test_a_right_that_waits_gives_nothing_before_its_time(seconds: float, reason: str) -> None:
    waiting = replace(LOGIN, turnaround_at=1000.0)
    directory = replace(DIRECTORY, logins={waiting.user: waiting})
    targets = parse_turn_targets("a.example")
    found = authorize_turn(Requester(waiting, HOME), targets, directory, {}, 1000.0 + seconds)
    assert reason in found.reason
    assert found.is_granted is (seconds >= 0)
