"""The name and the place of a client in the audit trail."""

import ipaddress

import pytest

from restante.release.release_request import BY_POLICY, Requester, requested_by
from restante.tenancy.model import Login
from restante.tenancy.principal import CONTROL_SOCKET, THIS_SERVER, account_login
from tests.actors import actor_named

LOGIN = Login("anna", "alpha", "hash", None, 0.0)
HOME = ipaddress.ip_address("192.0.2.1")


@pytest.mark.parametrize(
    ("requester", "actor", "acted_from"),
    [
        (Requester(), "anonymous", CONTROL_SOCKET),
        (Requester(address=HOME), "anonymous", "192.0.2.1"),
        (Requester(LOGIN, HOME), "login anna", "192.0.2.1"),
        (Requester(is_operator=True), "operator", CONTROL_SOCKET),
        (
            Requester(is_operator=True, acting=actor_named("operator root")),
            "operator root",
            CONTROL_SOCKET,
        ),
    ],
)
def test_a_requester_is_named(requester: Requester, actor: str, acted_from: str) -> None:
    assert (requester.actor.text, requester.acted_from) == (actor, acted_from)


def test_a_principal_of_an_account_is_bound_to_its_domains() -> None:
    requester = requested_by(account_login("anna", "alpha", "192.0.2.1"))
    assert requester == Requester(
        is_operator=True, acting=actor_named("login anna"), place="192.0.2.1", only_account="alpha"
    )
    assert (requester.actor.text, requester.acted_from) == ("login anna", "192.0.2.1")


def test_the_policy_acts_as_this_server_for_every_account() -> None:
    assert (BY_POLICY.actor.text, BY_POLICY.acted_from) == ("policy on-return", THIS_SERVER)
    assert BY_POLICY.only_account == ""


@pytest.mark.parametrize(
    ("requester", "right"),
    [
        (Requester(is_operator=True, acting=actor_named("operator root")), "operator"),
        (BY_POLICY, "policy on-return"),
        (requested_by(account_login("anna", "alpha", "192.0.2.1")), "login anna"),
    ],
)
def test_the_reason_of_a_release_names_its_right(requester: Requester, right: str) -> None:
    assert requester.right == right
