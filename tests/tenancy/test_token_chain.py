"""A token's rights stay within those of its makers, at each request."""

import ipaddress
import math
from dataclasses import replace

from restante.tenancy.api_token import ApiToken, TokenState
from restante.tenancy.grants import GrantedRole, Scope
from restante.tenancy.model import Directory
from restante.tenancy.principal import Role, account_login
from restante.tenancy.token_chain import (
    LONGEST_CHAIN,
    accepted_until,
    admits,
    chain_of,
    state_of,
    token_principal,
)

NOW = 1000.0
INSIDE = ipaddress.ip_address("192.0.2.9")
ADMIN = ApiToken(
    "admin00000", "alpha", "admin", b"", frozenset({GrantedRole.ACCOUNT_ADMIN}), "operator", 1.0
)
MADE = ApiToken(
    "made000000",
    "alpha",
    "made",
    b"",
    frozenset({Scope.QUEUE_READ}),
    "token admin (alpha)",
    2.0,
    maker=ADMIN.id,
)


def directory_of(*tokens: ApiToken) -> Directory:
    return Directory(tokens={one.id: one for one in tokens})


def test_a_token_that_a_person_made_has_no_makers() -> None:
    assert chain_of(ADMIN, directory_of(ADMIN)) == (ADMIN,)


def test_a_chain_ends_at_the_token_that_a_person_made() -> None:
    assert chain_of(MADE, directory_of(MADE, ADMIN)) == (MADE, ADMIN)


def test_a_token_is_accepted_as_long_as_its_maker_is() -> None:
    assert state_of(MADE, directory_of(MADE, ADMIN), NOW) is TokenState.ACTIVE
    for gone in (ADMIN.revoked(5.0), replace(ADMIN, expires_at=NOW)):
        assert state_of(MADE, directory_of(MADE, gone), NOW) is TokenState.MAKER_GONE
    assert state_of(MADE, directory_of(MADE), NOW) is TokenState.MAKER_GONE


def test_its_own_end_is_named_first() -> None:
    assert state_of(MADE.revoked(3.0), directory_of(ADMIN.revoked(2.0)), NOW) is TokenState.REVOKED


def test_a_chain_in_a_circle_is_not_accepted() -> None:
    """Only a damaged store has one."""
    circle = directory_of(MADE, replace(ADMIN, maker=MADE.id))
    assert state_of(MADE, circle, NOW) is TokenState.MAKER_GONE


def test_the_longest_chain_is_accepted_and_a_longer_one_is_not() -> None:
    tokens = [replace(ADMIN, id=str(n), maker=str(n - 1) if n else "") for n in range(20)]
    tokens[0] = replace(tokens[0], maker="")
    directory = directory_of(*tokens)
    assert state_of(tokens[LONGEST_CHAIN - 1], directory, NOW) is TokenState.ACTIVE
    assert state_of(tokens[LONGEST_CHAIN], directory, NOW) is TokenState.MAKER_GONE


def test_the_networks_of_each_maker_count() -> None:
    limited = replace(ADMIN, networks=(ipaddress.ip_network("192.0.2.0/24"),))
    directory = directory_of(MADE, limited)
    assert admits(MADE, directory, INSIDE)
    assert not admits(MADE, directory, ipaddress.ip_address("198.51.100.1"))


def test_the_principal_has_the_grants_of_the_whole_chain() -> None:
    principal = token_principal(MADE, directory_of(MADE, ADMIN), "192.0.2.9")
    assert (principal.role, principal.account, principal.token) == (Role.ACCOUNT, "alpha", MADE.id)
    assert (principal.name, principal.acted_from) == ("token made (alpha)", "192.0.2.9")
    assert principal.grants == (MADE.grants, ADMIN.grants)
    assert principal.domains is None


def test_the_domains_are_those_that_each_of_the_chain_has() -> None:
    tokens = (
        replace(MADE, domains=("a.example", "b.example")),
        replace(ADMIN, domains=("b.example",)),
    )
    principal = token_principal(tokens[0], directory_of(*tokens), "")
    assert principal.domains == frozenset({"b.example"})


def test_the_operators_token_is_an_operator() -> None:
    own = replace(ADMIN, account="", grants=frozenset({GrantedRole.OPERATOR}))
    principal = token_principal(own, directory_of(own), "")
    assert (principal.role, principal.name) == (Role.OPERATOR, "token admin (operator)")


def test_a_token_without_its_maker_has_no_rights() -> None:
    assert token_principal(MADE, directory_of(MADE), "").grants == (frozenset(),)


def test_a_principal_is_accepted_until_the_first_of_its_chain_expires() -> None:
    present = directory_of(replace(MADE, expires_at=9.0), replace(ADMIN, expires_at=8.0))
    principal = token_principal(MADE, present, str(INSIDE))
    assert accepted_until(principal, present) == 8.0
    assert accepted_until(principal, directory_of(MADE, ADMIN)) == math.inf
    assert accepted_until(account_login("mail", "alpha", ""), present) == math.inf


def test_a_principal_whose_chain_is_over_or_has_other_rights_is_accepted_no_longer() -> None:
    elsewhere = (ipaddress.ip_network("198.51.100.0/24"),)
    principal = token_principal(MADE, directory_of(MADE, ADMIN), str(INSIDE))
    for tokens in (
        [ADMIN],
        [MADE],
        [MADE.revoked(5.0), ADMIN],
        [MADE, ADMIN.revoked(5.0)],
        [MADE, replace(ADMIN, networks=elsewhere)],
        [MADE, replace(ADMIN, domains=("a.example",))],
        [MADE, replace(ADMIN, grants=frozenset({Scope.QUEUE_READ}))],
        [MADE, replace(ADMIN, maker=MADE.id)],
    ):
        assert accepted_until(principal, directory_of(*tokens)) == -math.inf
    limited = directory_of(MADE, replace(ADMIN, networks=elsewhere))
    nowhere = token_principal(MADE, limited, "no address")
    assert accepted_until(nowhere, limited) == -math.inf
