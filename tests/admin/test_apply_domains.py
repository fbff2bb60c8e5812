"""A domain of a configuration: its destination, its suspension, and its recipients."""

import asyncio
from typing import Any

import pytest

from restante.admin.admin_error import ErrorKind
from restante.admin.apply_steps import Prune
from restante.admin.configuration_entries import NotApplicable
from restante.tenancy.policy import Hold
from tests.admin.configurations import ACME, applied, apply, fields_changed, numbers, told
from tests.admin.desk import Desk

DOMAIN = {key: value for key, value in ACME[2].items() if key != "addresses"}
SUSPENDED = {**DOMAIN, "hold": "suspended", "reason": "moving", "until": "2030-01-01T00:00:00Z"}
LOGIN = {"tls": "required", "destination_login": "relay", "destination_password": "a secret word"}


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    apply(desk, ACME)
    return desk


def problem_of(desk: Desk, entry: dict[str, Any], prune: Prune = Prune.NOTHING) -> str:
    with pytest.raises(NotApplicable) as caught:
        apply(desk, [entry], prune)
    [problem] = caught.value.problems
    return problem


def test_a_new_domain_needs_a_destination_and_another_keeps_its_own(desk: Desk) -> None:
    bare = {"thing": "domain", "account": "acme"}
    assert "a new domain needs a destination" in problem_of(desk, {**bare, "name": "new.example"})
    for prune in (Prune.NOTHING, Prune.RECORDS):
        apply(desk, [{**bare, "name": "acme.example"}], prune)
        destination = desk.context.directory.now.domains["acme.example"].destination
        assert destination.text == "192.0.2.7:25"


def test_a_destination_that_does_not_change_is_not_looked_up_again(desk: Desk) -> None:
    named = {**DOMAIN, "destination": "mail.alpha.example"}
    assert numbers(apply(desk, [named]))[1] == 1
    desk.resolver.known.clear()
    answer = apply(desk, [named])
    assert [line.warning for line in answer if line.warning] == []
    moved = apply(desk, [{**named, "destination": "unknown.example"}])
    assert any("no such name in DNS" in (line.warning or "") for line in moved)


def test_a_suspension_and_the_mode_after_it_are_one_change(desk: Desk) -> None:
    assert numbers(apply(desk, [{**SUSPENDED, "hold_otherwise": "relay"}]))[1] == 1
    policy = desk.context.directory.now.domains["acme.example"].policy
    assert (policy.hold, policy.suspension is not None) == (Hold.RELAY, True)
    assert numbers(apply(desk, [{**SUSPENDED, "hold_otherwise": "relay"}]))[1] == 0
    assert desk.server is not None
    assert desk.server.stopped == [(1, "the domain was suspended")]


def test_a_suspension_that_has_ended_is_none(desk: Desk) -> None:
    past = {**SUSPENDED, "until": "2020-01-01T00:00:00Z", "hold_otherwise": "on-return"}
    answer = apply(desk, [{**past, "force_accept": "on", "force_until": "2020-01-01T00:00:00Z"}])
    assert [line.warning for line in answer if line.warning] == [
        "domain acme.example: its suspension has ended, so hold is on-return",
        "domain acme.example: force_until is past, so nothing is forced",
    ]
    policy = desk.context.directory.now.domains["acme.example"].policy
    assert (policy.hold, policy.suspension, policy.forced) == (Hold.ON_RETURN, None, None)


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"hold_otherwise": "relay"}, "hold_otherwise is about a suspension"),
        ({"hold": "suspended"}, "is not suspended without a reason"),
        ({"pin_now": True}, "pin_now would pin another key each time"),
        ({"destination_sealed": "AAAA"}, "destination_sealed is the password of"),
        ({"accept": "when-down"}, "needs a destination that is watched"),
        ({"message_size": 10**9}, "is above the server's own limit"),
        ({"allow": ["192.0.2.1/24"]}, "neither an address nor a network"),
        ({"tls_pins": ["00" * 32]}, "an authority or pin is of use only where"),
    ],
)
def test_contradictory_values_are_refused(desk: Desk, fields: dict[str, Any], cause: str) -> None:
    assert cause in problem_of(desk, {**DOMAIN, **fields})


def test_a_login_at_the_destination_keeps_its_password_unless_another_is_given(
    desk: Desk,
) -> None:
    with_login = {**DOMAIN, **LOGIN}
    assert numbers(apply(desk, [with_login]))[1] == 1
    bare = {key: value for key, value in with_login.items() if key != "destination_password"}
    for prune in (Prune.NOTHING, Prune.RECORDS):
        assert numbers(apply(desk, [with_login], prune))[1] == 0
        assert numbers(apply(desk, [bare], prune))[1] == 0
    assert fields_changed(apply(desk, [{**with_login, "destination_password": "other words"}])) == [
        "destination.login.sealed_password: set → replaced"
    ]
    assert "is a user name and a password" in problem_of(desk, {**bare, "destination_login": "x"})
    apply(desk, [DOMAIN], Prune.RECORDS)
    assert desk.context.directory.now.domains["acme.example"].destination.login is None


def test_a_list_is_replaced_and_a_large_loss_needs_pruning(desk: Desk) -> None:
    names = [f"user{number}" for number in range(10)]
    assert told(apply(desk, [{**DOMAIN, "addresses": names}], Prune.RECORDS))
    answer = apply(desk, [{**DOMAIN, "addresses": [*names[1:], "new"]}])
    assert fields_changed(answer) == ["added: none → 1", "dropped: 1 → none"]
    entry = {**DOMAIN, "addresses": ["new"]}
    problem = problem_of(desk, entry)
    assert problem == (
        "domain acme.example: 9 of its recipients would be dropped; say --prune if the list of"
        " addresses is whole"
    )
    assert numbers(apply(desk, [entry], Prune.RECORDS))[1] == 1
    assert numbers(apply(desk, [DOMAIN], Prune.RECORDS))[1] == 0, "a list not named stays"


def test_a_list_is_there_before_the_domain_rejects_unknown_recipients(desk: Desk) -> None:
    rejecting = {**DOMAIN, "recipients": "list", "unknown": "reject", "addresses": ["new", "anna"]}
    assert told(apply(desk, [rejecting], Prune.RECORDS))[:2] == [
        "change recipients acme.example",
        "change domain acme.example",
    ]
    lenient = {**DOMAIN, "recipients": "any", "addresses": ["anna"]}
    assert told(apply(desk, [lenient], Prune.RECORDS))[:2] == [
        "change domain acme.example",
        "change recipients acme.example",
    ]


def test_an_address_of_another_domain_is_refused(desk: Desk) -> None:
    for name in ("acme.example", "new.example"):
        entry = {**DOMAIN, "name": name, "addresses": ["x@other.example"]}
        assert f"is not in {name}" in problem_of(desk, entry)


def test_a_domain_moves_to_another_account(desk: Desk) -> None:
    beta = {"thing": "account", "name": "beta"}
    assert fields_changed(apply(desk, [beta, {**DOMAIN, "account": "beta"}]))[-1] == (
        "account: acme → beta"
    )


def test_a_domain_added_meanwhile_is_not_overwritten(desk: Desk) -> None:
    async def story() -> None:
        entry = {**DOMAIN, "name": "new.example"}
        put = desk.store.records.put_domain

        async def put_after_another(domain: Any, audit: Any) -> Any:
            desk.store.records.put_domain = put  # type: ignore[method-assign]
            await put(domain, audit)
            return await put(domain, audit)

        desk.store.records.put_domain = put_after_another  # type: ignore[method-assign]
        answer = await applied(desk.context, [entry])
        [failure] = [line.failure for line in answer if line.failure]
        assert failure.kind is ErrorKind.EXISTS

    asyncio.run(story())
