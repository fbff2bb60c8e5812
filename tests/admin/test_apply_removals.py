"""Things that a configuration does not name are removed only if that was asked for."""

import asyncio

import pytest

from restante.admin.apply_removals import accounts_in_scope, is_leaving
from restante.admin.apply_steps import PruneScope
from restante.admin.configuration_entries import LoginEntry, WantedRecords
from restante.tenancy.principal import account_login
from tests.admin.admin_world import AdminWorld
from tests.admin.configurations import ACME, apply, numbers, told

BETA = [{**one} for one in ACME]
for one in BETA:
    for key, value in {"name": "beta", "user": "beta-mail", "account": "beta"}.items():
        if key in one:
            one[key] = value
BETA[2]["name"] = "beta.example"
BETA[3]["name"] = "ops"
OWN = {"thing": "channel", "name": "own", "mail": "ops@elsewhere.example"}


@pytest.fixture
def admin() -> AdminWorld:
    admin = AdminWorld()
    apply(admin, [*ACME, *BETA, OWN])
    return admin


def test_nothing_is_removed_unless_that_is_asked_for(admin: AdminWorld) -> None:
    assert numbers(apply(admin, []))[:3] == (0, 0, 0)
    assert numbers(apply(admin, ACME[:1]))[:3] == (0, 0, 0)


def test_things_of_named_accounts_go_last_and_other_accounts_keep_theirs(admin: AdminWorld) -> None:
    new = {**ACME[2], "name": "new.example"}
    answer = apply(admin, [ACME[0], new], PruneScope.RECORDS)
    assert told(answer)[-3:] == [
        "remove channel ops",
        "remove login acme-mail",
        "remove domain acme.example",
    ]
    directory = admin.context.directory.now
    assert sorted(directory.domains) == ["beta.example", "new.example"]
    assert sorted(directory.accounts) == ["acme", "beta"]
    assert [one.name for one in directory.channels_of("")] == ["own"]


def test_accounts_go_with_all_that_they_have_if_that_is_asked_for(admin: AdminWorld) -> None:
    answer = apply(admin, ACME, PruneScope.ACCOUNTS)
    assert told(answer) == [
        "remove channel own",
        "remove channel ops",
        "remove login beta-mail",
        "remove domain beta.example",
        "remove account beta",
    ]


def test_an_account_whose_domain_holds_mail_stays(admin: AdminWorld) -> None:
    asyncio.run(admin.hold(1, admin.context.directory.now.domains["beta.example"].id, "x@b"))
    for is_dry_run in (True, False):
        answer = apply(admin, ACME, PruneScope.ACCOUNTS, is_dry_run=is_dry_run)
        failures = [line.failure for line in answer if line.failure]
        assert [f"{one.thing} {one.name}" for one in failures] == [
            "domain beta.example",
            "account beta",
        ]
    assert sorted(admin.context.directory.now.accounts) == ["acme", "beta"]


def test_a_reason_is_kept_in_the_trail(admin: AdminWorld) -> None:
    apply(admin, ACME[:1], PruneScope.RECORDS)
    entries = asyncio.run(admin.store.audit.audit(limit=3))
    assert {entry.reason for entry in entries} == {"not named by the applied configuration"}


def test_the_scope_is_what_the_principal_sees(admin: AdminWorld) -> None:
    wanted = WantedRecords()
    wanted.add_line(b'{"thing": "account", "name": "acme"}')
    own = admin.context.acting(account_login("beta-mail", "beta", "192.0.2.1"))
    assert accounts_in_scope(admin.context, wanted, PruneScope.NOTHING) == []
    assert accounts_in_scope(admin.context, wanted, PruneScope.RECORDS) == ["acme"]
    assert accounts_in_scope(admin.context, wanted, PruneScope.ACCOUNTS) == ["", "acme", "beta"]
    assert accounts_in_scope(own, wanted, PruneScope.RECORDS) == []
    assert accounts_in_scope(own, wanted, PruneScope.ACCOUNTS) == ["beta"]


def test_a_login_leaves_its_account_if_that_is_in_scope(admin: AdminWorld) -> None:
    wanted = WantedRecords()
    wanted.logins["acme-mail"] = LoginEntry(user="acme-mail", account="beta")
    assert not is_leaving(admin.context, wanted, PruneScope.NOTHING, "acme-mail")
    assert not is_leaving(admin.context, wanted, PruneScope.RECORDS, "acme-mail")
    assert is_leaving(admin.context, wanted, PruneScope.ACCOUNTS, "acme-mail")
    wanted.logins["new"] = LoginEntry(user="new", account="beta")
    assert not is_leaving(admin.context, wanted, PruneScope.ACCOUNTS, "new")
