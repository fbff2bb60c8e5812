"""A channel of a configuration: its target may be given, sealed, or stay."""

import asyncio
from typing import Any

import pytest

from restante.admin.apply_steps import Prune
from restante.admin.configuration_entries import NotApplicable
from restante.tenancy.principal import account_login
from tests.admin.configurations import apply, exported, fields_changed, numbers, told
from tests.admin.desk import Desk

KEY = "whsec_" + "QUJD" * 8
ACCOUNT = {"thing": "account", "name": "a"}
CHANNEL = {"thing": "channel", "name": "ops", "account": "a"}
MAIL = {**CHANNEL, "mail": "ops@elsewhere.example"}
HOOK = {**CHANNEL, "webhook": "https://hooks.example/secret-path"}


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    apply(desk, [ACCOUNT])
    return desk


def problem_of(desk: Desk, entry: dict[str, Any], prune: Prune = Prune.NOTHING) -> str:
    with pytest.raises(NotApplicable) as caught:
        apply(desk, [entry], prune)
    [problem] = caught.value.problems
    assert "secret-path" not in problem
    return problem


def test_a_new_webhook_without_a_key_gets_one_that_is_told_once(desk: Desk) -> None:
    [key] = [line.step.secret for line in apply(desk, [HOOK]) if line.step]
    assert key is not None
    assert key.startswith("whsec_")
    assert numbers(apply(desk, [HOOK]))[:4] == (0, 0, 0, 1), "an existing one keeps its key"
    assert numbers(apply(desk, [{**HOOK, "key": key}]))[1] == 0
    assert numbers(apply(desk, [{**HOOK, "key": KEY}]))[1] == 1


def test_a_target_that_is_not_given_stays(desk: Desk) -> None:
    apply(desk, [HOOK])
    transport = {**CHANNEL, "transport": "webhook", "target": "https://hooks.example/…"}
    for prune in (Prune.NOTHING, Prune.RECORDS):
        assert numbers(apply(desk, [transport], prune))[1] == 0
        assert numbers(apply(desk, [CHANNEL], prune))[1] == 0


def test_kinds_that_are_not_given_stay_or_are_all_when_pruning(desk: Desk) -> None:
    apply(desk, [{**MAIL, "kinds": ["drain-finished"]}])
    assert numbers(apply(desk, [MAIL]))[1] == 0
    assert fields_changed(apply(desk, [MAIL], Prune.RECORDS))[0].startswith("kinds: drain-finish")


@pytest.mark.parametrize(
    ("entry", "cause"),
    [
        (CHANNEL, "a new channel needs its target; write webhook, mail or apprise"),
        ({**MAIL, "name": "A B"}, "not a name for a channel"),
        ({**HOOK, "mail": "x@y.example"}, "it takes one transport"),
        (
            {**MAIL, "transport": "webhook"},
            "its transport is webhook, but it has a target for mail",
        ),
        ({**HOOK, "webhook": "http://h.example/secret-path"}, "plain HTTP"),
        ({**MAIL, "kinds": ["room-short"]}, "it would never get room-short"),
        ({**MAIL, "sealed": "AAAA"}, "sealed goes with transport and target alone"),
        ({**CHANNEL, "transport": "webhook", "sealed": "AAAA"}, "sealed cannot be opened with"),
    ],
)
def test_a_faulty_channel_is_refused(desk: Desk, entry: dict[str, Any], cause: str) -> None:
    assert cause in problem_of(desk, entry)


def test_only_an_operator_allows_plain_http_in_a_configuration(desk: Desk) -> None:
    plain = {**HOOK, "webhook": "http://h.example/secret-path", "insecure": True}
    operator = desk.context
    for present in ([], [HOOK]):
        apply(desk, present)
        before = asyncio.run(desk.store.records.directory())
        desk.context = operator.acting(account_login("mail", "a", ""))
        assert "plain HTTP: login mail is not allowed to" in problem_of(desk, plain)
        assert asyncio.run(desk.store.records.directory()) == before
        desk.context = operator
    assert numbers(apply(desk, [plain]))[1] == 1


def test_another_way_replaces_the_channel_only_when_pruning(desk: Desk) -> None:
    apply(desk, [MAIL])
    assert "its transport is mail, and that stays; say --prune" in problem_of(desk, HOOK)
    answer = apply(desk, [HOOK], Prune.RECORDS)
    assert told(answer) == ["remove channel ops", "add channel ops"]
    assert numbers(apply(desk, [HOOK], Prune.RECORDS))[:4] == (0, 0, 0, 1)


def test_a_sealed_secret_is_put_back_as_it_was(desk: Desk) -> None:
    apply(desk, [{**HOOK, "key": KEY, "kinds": ["drain-finished"]}])
    [entry] = [
        one
        for one in asyncio.run(exported(desk.context, with_secrets=True))
        if one["thing"] == "channel"
    ]
    before = desk.context.directory.now.channel("a", "ops")
    apply(desk, [{**HOOK, "webhook": "https://other.example/x"}])
    assert fields_changed(apply(desk, [entry])) == [
        "target: https://other.example/… → https://hooks.example/…",
        "sealed secret: set → replaced",
    ]
    assert desk.context.directory.now.channel("a", "ops") == before
    assert "sealed cannot be opened" in problem_of(desk, {**entry, "name": "other"})
