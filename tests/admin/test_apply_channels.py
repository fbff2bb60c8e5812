"""A channel of a configuration: its target may be given, sealed, or stay."""

import asyncio
from typing import Any

import pytest

from restante.admin.apply_steps import PruneScope
from restante.admin.configuration_entries import NotApplicable
from restante.tenancy.principal import account_login
from tests.admin.admin_world import AdminWorld
from tests.admin.configurations import apply, exported, fields_changed, numbers, told

KEY = "whsec_" + "QUJD" * 8
ACCOUNT = {"thing": "account", "name": "a"}
CHANNEL = {"thing": "channel", "name": "ops", "account": "a"}
MAIL = {**CHANNEL, "mail": "ops@elsewhere.example"}
HOOK = {**CHANNEL, "webhook": "https://hooks.example/secret-path"}


@pytest.fixture
def admin() -> AdminWorld:
    admin = AdminWorld()
    apply(admin, [ACCOUNT])
    return admin


def problem_of(
    admin: AdminWorld, entry: dict[str, Any], prune: PruneScope = PruneScope.NOTHING
) -> str:
    with pytest.raises(NotApplicable) as caught:
        apply(admin, [entry], prune)
    [problem] = caught.value.problems
    assert "secret-path" not in problem
    return problem


def test_a_new_webhook_without_a_key_gets_one_that_is_told_once(admin: AdminWorld) -> None:
    [key] = [line.step.secret for line in apply(admin, [HOOK]) if line.step]
    assert key is not None
    assert key.startswith("whsec_")
    assert numbers(apply(admin, [HOOK]))[:4] == (0, 0, 0, 1), "an existing one keeps its key"
    assert numbers(apply(admin, [{**HOOK, "key": key}]))[1] == 0
    assert numbers(apply(admin, [{**HOOK, "key": KEY}]))[1] == 1


def test_a_target_that_is_not_given_stays(admin: AdminWorld) -> None:
    apply(admin, [HOOK])
    transport = {**CHANNEL, "transport": "webhook", "target": "https://hooks.example/…"}
    for prune in (PruneScope.NOTHING, PruneScope.RECORDS):
        assert numbers(apply(admin, [transport], prune))[1] == 0
        assert numbers(apply(admin, [CHANNEL], prune))[1] == 0


def test_kinds_that_are_not_given_stay_or_are_all_when_pruning(admin: AdminWorld) -> None:
    apply(admin, [{**MAIL, "kinds": ["drain-finished"]}])
    assert numbers(apply(admin, [MAIL]))[1] == 0
    assert fields_changed(apply(admin, [MAIL], PruneScope.RECORDS))[0].startswith(
        "kinds: drain-finish"
    )


@pytest.mark.parametrize(
    ("entry", "cause"),
    [
        (CHANNEL, "a new channel needs its target; write webhook, mail or apprise"),
        ({**MAIL, "name": "A B"}, "not a name for a channel"),
        ({**HOOK, "mail": "x@y.example"}, "a channel has exactly one transport"),
        (
            {**MAIL, "transport": "webhook"},
            "its transport is webhook, but it has a target for mail",
        ),
        ({**HOOK, "webhook": "http://h.example/secret-path"}, "plain HTTP"),
        ({**MAIL, "kinds": ["room-short"]}, "it can never get room-short"),
        ({**MAIL, "sealed": "AAAA"}, "sealed needs transport and target, and nothing else"),
        ({**CHANNEL, "transport": "webhook", "sealed": "AAAA"}, "sealed cannot be opened with"),
    ],
)
def test_a_faulty_channel_is_refused(admin: AdminWorld, entry: dict[str, Any], cause: str) -> None:
    assert cause in problem_of(admin, entry)


def test_only_an_operator_allows_plain_http_in_a_configuration(admin: AdminWorld) -> None:
    plain = {**HOOK, "webhook": "http://h.example/secret-path", "insecure": True}
    operator = admin.context
    for present in ([], [HOOK]):
        apply(admin, present)
        before = asyncio.run(admin.store.records.directory())
        admin.context = operator.acting(account_login("mail", "a", ""))
        assert "plain HTTP: login mail is not allowed to" in problem_of(admin, plain)
        assert asyncio.run(admin.store.records.directory()) == before
        admin.context = operator
    assert numbers(apply(admin, [plain]))[1] == 1


def test_another_way_replaces_the_channel_only_when_pruning(admin: AdminWorld) -> None:
    apply(admin, [MAIL])
    assert "its transport is mail and cannot be changed; use --prune" in problem_of(admin, HOOK)
    answer = apply(admin, [HOOK], PruneScope.RECORDS)
    assert told(answer) == ["remove channel ops", "add channel ops"]
    assert numbers(apply(admin, [HOOK], PruneScope.RECORDS))[:4] == (0, 0, 0, 1)


def test_a_sealed_secret_is_put_back_as_it_was(admin: AdminWorld) -> None:
    apply(admin, [{**HOOK, "key": KEY, "kinds": ["drain-finished"]}])
    [entry] = [
        one
        for one in asyncio.run(exported(admin.context, with_secrets=True))
        if one["thing"] == "channel"
    ]
    before = admin.context.directory.now.channel("a", "ops")
    apply(admin, [{**HOOK, "webhook": "https://other.example/x"}])
    assert fields_changed(apply(admin, [entry])) == [
        "target: https://other.example/… → https://hooks.example/…",
        "sealed secret: set → replaced",
    ]
    assert admin.context.directory.now.channel("a", "ops") == before
    assert "sealed cannot be opened" in problem_of(admin, {**entry, "name": "other"})
