"""Which changes of a domain's record end an attempt, and the reason that counts."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from restante.delivery.attempt_end import AttemptKind, AttemptTally, concerns
from restante.tenancy.model import (
    AuthorizedHosts,
    Destination,
    DestinationLogin,
    HostedDomain,
    parse_authorized_hosts,
)
from restante.tenancy.policy import OnRefusal, Policy

DOMAIN = HostedDomain(7, "b.example", "alpha", Destination("p.example"), AuthorizedHosts(), 0.0)
Change = Callable[[HostedDomain], HostedDomain]


def to(**fields: object) -> Change:
    return lambda domain: replace(
        domain,
        destination=replace(domain.destination, **fields),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("change", "ends_it"),
    [
        (to(host="q.example"), True),
        (to(port=2525), True),
        (to(login=DestinationLogin("mx2", b"sealed")), True),
        (to(connections=1), True),
        (to(per_minute=5), True),
        (lambda domain: replace(domain, id=8), True),
        (lambda domain: replace(domain, account="beta"), True),
        (lambda domain: replace(domain, policy=Policy(on_refusal=OnRefusal.BOUNCE)), True),
        (lambda domain: replace(domain, policy=Policy(ignores_tags=True)), False),
        (
            lambda domain: replace(
                domain, authorized_hosts=parse_authorized_hosts(["192.0.2.0/24"])
            ),
            False,
        ),
        (lambda domain: domain, False),
    ],
    ids=[
        *("host", "port", "login", "connections", "rate"),
        *("removed and added again", "account", "bounce", "tags", "hosts", "nothing"),
    ],
)
def test_only_changes_that_an_attempt_uses_end_it(change: Change, ends_it: bool) -> None:
    assert (concerns(change(DOMAIN)) != concerns(DOMAIN)) is ends_it


def test_the_first_reason_to_end_counts_and_is_told_once() -> None:
    tally, told = AttemptTally(), list[str]()
    tally.on_stop.append(told.append)
    tally.stop("it limits the rate", AttemptKind.LIMITED)
    tally.stop("it closed")
    assert tally.is_ending
    assert (tally.end().kind, tally.end().reason) == (AttemptKind.LIMITED, "it limits the rate")
    assert told == ["it limits the rate"]


def test_a_stopped_attempt_lets_go_of_its_parts() -> None:
    """Otherwise each attempt would wait for the garbage collector."""
    tally = AttemptTally()
    tally.on_stop.append(lambda _: None)
    tally.stop("enough")
    assert tally.on_stop == []
