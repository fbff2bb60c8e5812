"""A domain of a configuration: its destination, its suspension, and its recipients."""

import asyncio
from typing import Any

import pytest

from restante.admin.admin_error import ErrorKind
from restante.admin.apply_steps import PruneScope
from restante.admin.configuration_entries import NotApplicable
from restante.tenancy.grants import Grant, GrantedRole, Scope
from restante.tenancy.policy import HoldPolicy
from restante.tenancy.principal import Principal, Role
from tests.actors import actor_named
from tests.admin.admin_world import AdminWorld, with_settings
from tests.admin.configurations import ACME, applied, apply, fields_changed, numbers, told

DOMAIN = {key: value for key, value in ACME[2].items() if key != "addresses"}
SUSPENDED = {**DOMAIN, "hold": "suspended", "reason": "moving", "until": "2030-01-01T00:00:00Z"}
LOGIN = {"tls": "required", "destination_login": "relay", "destination_password": "a secret word"}


@pytest.fixture
def admin() -> AdminWorld:
    admin = AdminWorld()
    apply(admin, ACME)
    return admin


def problem_of(
    admin: AdminWorld, entry: dict[str, Any], prune: PruneScope = PruneScope.NOTHING
) -> str:
    with pytest.raises(NotApplicable) as caught:
        apply(admin, [entry], prune)
    [problem] = caught.value.problems
    return problem


def test_a_new_domain_needs_a_destination_and_another_keeps_its_own(admin: AdminWorld) -> None:
    bare = {"thing": "domain", "account": "acme"}
    assert "a new domain needs a destination" in problem_of(admin, {**bare, "name": "new.example"})
    for prune in (PruneScope.NOTHING, PruneScope.RECORDS):
        apply(admin, [{**bare, "name": "acme.example"}], prune)
        destination = admin.context.directory.now.domains["acme.example"].destination
        assert destination.text == "192.0.2.7:25"


def test_a_destination_that_does_not_change_is_not_looked_up_again(admin: AdminWorld) -> None:
    named = {**DOMAIN, "destination": "mail.alpha.example"}
    assert numbers(apply(admin, [named]))[1] == 1
    admin.resolver.known.clear()
    answer = apply(admin, [named])
    assert [line.warning for line in answer if line.warning] == []
    moved = apply(admin, [{**named, "destination": "unknown.example"}])
    assert any("no such name in DNS" in (line.warning or "") for line in moved)


def test_a_suspension_and_the_mode_after_it_are_one_change(admin: AdminWorld) -> None:
    assert numbers(apply(admin, [{**SUSPENDED, "hold_otherwise": "relay"}]))[1] == 1
    policy = admin.context.directory.now.domains["acme.example"].policy
    assert (policy.hold, policy.suspension is not None) == (HoldPolicy.RELAY, True)
    assert numbers(apply(admin, [{**SUSPENDED, "hold_otherwise": "relay"}]))[1] == 0
    assert admin.server is not None
    assert admin.server.stopped == [(1, "the domain was suspended")]


def test_a_suspension_that_has_ended_is_none(admin: AdminWorld) -> None:
    past = {**SUSPENDED, "until": "2020-01-01T00:00:00Z", "hold_otherwise": "on-return"}
    answer = apply(admin, [{**past, "force_accept": "on", "force_until": "2020-01-01T00:00:00Z"}])
    assert [line.warning for line in answer if line.warning] == [
        "domain acme.example: its suspension has ended, so hold is on-return",
        "domain acme.example: force_until is past, so nothing is forced",
    ]
    policy = admin.context.directory.now.domains["acme.example"].policy
    assert (policy.hold, policy.suspension, policy.forced) == (HoldPolicy.ON_RETURN, None, None)


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"hold_otherwise": "relay"}, "hold_otherwise is about a suspension"),
        ({"hold": "suspended"}, "is not suspended without a reason"),
        ({"pin_now": True}, "pin_now would pin another key each time"),
        ({"destination_sealed": "AAAA"}, "destination_sealed is the password of"),
        ({"accept": "when-down"}, "needs a watched destination"),
        ({"message_size": 10**9}, "is above the server's own limit"),
        ({"allow": ["192.0.2.1/24"]}, "neither an address nor a network"),
        ({"tls_pins": ["00" * 32]}, "an authority or pin is of use only where"),
    ],
)
def test_contradictory_values_are_refused(
    admin: AdminWorld, fields: dict[str, Any], cause: str
) -> None:
    assert cause in problem_of(admin, {**DOMAIN, **fields})


def test_a_login_at_the_destination_keeps_its_password_unless_another_is_given(
    admin: AdminWorld,
) -> None:
    with_login = {**DOMAIN, **LOGIN}
    assert numbers(apply(admin, [with_login]))[1] == 1
    bare = {key: value for key, value in with_login.items() if key != "destination_password"}
    for prune in (PruneScope.NOTHING, PruneScope.RECORDS):
        assert numbers(apply(admin, [with_login], prune))[1] == 0
        assert numbers(apply(admin, [bare], prune))[1] == 0
    assert fields_changed(
        apply(admin, [{**with_login, "destination_password": "other words"}])
    ) == ["destination.login.sealed_password: set → replaced"]
    assert "is a user name and a password" in problem_of(admin, {**bare, "destination_login": "x"})
    apply(admin, [DOMAIN], PruneScope.RECORDS)
    assert admin.context.directory.now.domains["acme.example"].destination.login is None


def test_a_list_is_replaced_and_a_large_loss_needs_pruning(admin: AdminWorld) -> None:
    names = [f"user{number}" for number in range(10)]
    assert told(apply(admin, [{**DOMAIN, "addresses": names}], PruneScope.RECORDS))
    answer = apply(admin, [{**DOMAIN, "addresses": [*names[1:], "new"]}])
    assert fields_changed(answer) == ["added: none → 1", "dropped: 1 → none"]
    entry = {**DOMAIN, "addresses": ["new"]}
    problem = problem_of(admin, entry)
    assert problem == (
        "domain acme.example: 9 of its recipients would be dropped; use --prune if the list of"
        " addresses is complete"
    )
    assert numbers(apply(admin, [entry], PruneScope.RECORDS))[1] == 1
    assert numbers(apply(admin, [DOMAIN], PruneScope.RECORDS))[1] == 0, "a list not named stays"


def test_a_list_is_there_before_the_domain_rejects_unknown_recipients(admin: AdminWorld) -> None:
    rejecting = {**DOMAIN, "recipients": "list", "unknown": "reject", "addresses": ["new", "anna"]}
    assert told(apply(admin, [rejecting], PruneScope.RECORDS))[:2] == [
        "change recipients acme.example",
        "change domain acme.example",
    ]
    lenient = {**DOMAIN, "recipients": "any", "addresses": ["anna"]}
    assert told(apply(admin, [lenient], PruneScope.RECORDS))[:2] == [
        "change domain acme.example",
        "change recipients acme.example",
    ]


def test_an_address_of_another_domain_is_refused(admin: AdminWorld) -> None:
    for name in ("acme.example", "new.example"):
        entry = {**DOMAIN, "name": name, "addresses": ["x@other.example"]}
        assert f"is not in {name}" in problem_of(admin, entry)


def test_a_domain_moves_to_another_account(admin: AdminWorld) -> None:
    beta = {"thing": "account", "name": "beta"}
    assert fields_changed(apply(admin, [beta, {**DOMAIN, "account": "beta"}]))[-1] == (
        "account: acme → beta"
    )


def test_a_domain_added_meanwhile_is_not_overwritten(admin: AdminWorld) -> None:
    async def story() -> None:
        entry = {**DOMAIN, "name": "new.example"}
        put = admin.store.records.put_domain

        async def put_after_another(domain: Any, audit: Any, before: Any = None) -> Any:
            admin.store.records.put_domain = put  # type: ignore[method-assign]
            await put(domain, audit)
            return await put(domain, audit, before)

        admin.store.records.put_domain = put_after_another  # type: ignore[method-assign]
        answer = await applied(admin.context, [entry])
        [failure] = [line.failure for line in answer if line.failure]
        assert failure.kind is ErrorKind.EXISTS

    asyncio.run(story())


@pytest.mark.parametrize("prune", [PruneScope.NOTHING, PruneScope.RECORDS])
def test_an_account_that_prunes_wins_no_leave_for_private_addresses(
    admin: AdminWorld, prune: PruneScope
) -> None:
    """Its own destination would count as an operator's, whose names may lead inside."""
    admin.resolver.known["out.example"] = ["8.8.8.8"]
    grants: frozenset[Grant] = frozenset({GrantedRole.ACCOUNT_ADMIN, Scope.DOMAIN_DIRECT})
    account = Principal(Role.ACCOUNT, actor_named("token t"), "192.0.2.1", "acme", (grants,))
    context = with_settings(admin.context.acting(account), change_delay=lambda: 0.0)
    entry = {**DOMAIN, "destination": "out.example", "destination_set_by": ""}

    async def story() -> None:
        for _ in range(2):
            await applied(context, [entry], prune)
            destination = context.directory.now.domains["acme.example"].destination
            assert (destination.host, destination.set_by) == ("out.example", "acme")
            assert destination.must_be_public

    asyncio.run(story())
