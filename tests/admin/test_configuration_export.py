"""An export leaves out defaults and secrets, and apply takes it again."""

import asyncio
import json
import re
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restante.admin.admin_error import AdminError
from restante.admin.apply_steps import PruneScope
from restante.admin.configuration_export import export_with_secrets
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import Account, Destination, HostedDomain, Login, PriorPassword
from restante.tenancy.notice import Channel
from restante.tenancy.policy import Policy
from tests.admin.admin_world import NOW, AdminWorld
from tests.admin.configurations import ACME, Entries, applied, apply, exported, numbers
from tests.contract.making import NOTED

FOUND = {"proven_at"}  # in DNS, again by each server: never declared
EVERYTHING: list[dict[str, Any]] = [
    {
        "thing": "account",
        "name": "acme",
        "note": "since 2019",
        "empty_reply": 250,
        "quota": 10 * 1024**3,
        "quota_messages": 1000,
        "report_details": True,
        "history": "domain",
        "change_lock": True,
    },
    {"thing": "account", "name": "beta"},
    {"thing": "login", "user": "acme-mail", "account": "acme", "password": "correct horse"},
    {
        "thing": "login",
        "user": "other",
        "account": "acme",
        "password": "correct horse",
        "cram_md5": False,
        "turnaround": True,
        "expires_at": "2030-01-01T00:00:00Z",
    },
    {
        "thing": "domain",
        "name": "acme.example",
        "account": "acme",
        "destination": "mail.alpha.example:2525",
        "allow": ["192.0.2.0/24", "2001:db8::1", "mail.alpha.example"],
        "tls": "verify",
        "tls_pins": ["00" * 32],
        "connections": 3,
        "per_minute": 60,
        "client_address": "xclient",
        "destination_login": "relay",
        "destination_password": "a secret word",
        "hold": "suspended",
        "reason": "moving",
        "until": "2026-12-01T00:00:00Z",
        "while_suspended": "defer",
        "hold_otherwise": "on-return",
        "accept": "when-down",
        "force_accept": "on",
        "recipients": "learned",
        "unknown": "reject",
        "ignore_tags": True,
        "ask_destination": True,
        "hygiene": "defer",
        "own_domain": "defer",
        "quota": 1000,
        "quota_messages": 10,
        "message_size": 999,
        "retention": 86400,
        "at_end": "bounce",
        "refused_retention": 0,
        "refused_at_end": "delete",
        "on_refusal": "bounce",
        "after_drains": 10,
        "drill_every": 604800,
        "turnaround": "allow",
        "change_lock": True,
        "proof": "txt",
        "probe": "off",
        "addresses": ["anna", "sales-*"],
    },
    {"thing": "domain", "name": "b.example", "account": "beta", "destination": "192.0.2.9"},
    {
        "thing": "channel",
        "name": "all",
        "mail": "ops@elsewhere.example",
        "all_accounts": True,
    },
    {
        "thing": "channel",
        "name": "hook",
        "account": "acme",
        "webhook": "https://hooks.example/secret-path",
        "key": "whsec_" + "QUJD" * 8,
        "kinds": ["drain-finished", "quota-reached"],
    },
]


def test_an_export_with_secrets_makes_the_same_records_in_an_empty_store() -> None:
    async def story() -> None:
        admin, other = AdminWorld(), AdminWorld()
        await applied(admin.context, EVERYTHING)
        first = await exported(admin.context, with_secrets=True)
        assert numbers(await applied(other.context, first))[4] == 0
        assert json.dumps(await exported(other.context, with_secrets=True)) == json.dumps(first)
        for context in (admin.context, other.context):
            for prune in PruneScope:
                assert numbers(await applied(context, first, prune))[:3] == (0, 0, 0)

    asyncio.run(story())


def test_an_export_has_every_field_that_was_applied_and_no_secret() -> None:
    async def story() -> None:
        admin = AdminWorld()
        await applied(admin.context, EVERYTHING)
        export = await exported(admin.context)
        domain = next(one for one in export if one["thing"] == "domain")
        wanted = {**EVERYTHING[4], "retention": 86400.0}
        for key in ("destination_password", "addresses"):
            del wanted[key]
        assert domain == wanted
        assert export[0] == EVERYTHING[0]
        text = json.dumps(export)
        for secret in ("correct horse", "a secret word", "secret-path", "whsec", "sealed", "argon"):
            assert secret not in text
        for prune in PruneScope:
            assert numbers(await applied(admin.context, export, prune))[:3] == (0, 0, 0)

    asyncio.run(story())


def test_defaults_are_left_out() -> None:
    admin = AdminWorld()
    apply(admin, EVERYTHING)
    export = asyncio.run(exported(admin.context, "beta"))
    assert export == [
        {"thing": "account", "name": "beta"},
        {
            "thing": "domain",
            "name": "b.example",
            "account": "beta",
            "destination": "192.0.2.9:25",
        },
    ]


def test_sealed_secrets_show_nothing_and_fit_one_name_and_one_key_only() -> None:
    admin = AdminWorld()
    apply(admin, EVERYTHING)
    export = asyncio.run(exported(admin.context, with_secrets=True))
    text = json.dumps(export)
    for secret in ("correct horse", "a secret word", "secret-path", "whsec", "argon"):
        assert secret not in text
    assert len(re.findall("sealed", text)) == 4


def test_a_suspension_that_has_ended_is_not_exported() -> None:
    admin = AdminWorld()
    apply(admin, EVERYTHING)
    late = replace(admin.context, now=lambda: NOW + 400 * 365 * 86400.0)
    domain = next(one for one in asyncio.run(exported(late)) if one["thing"] == "domain")
    assert domain["hold"] == "on-return"
    assert not domain.keys() & {"reason", "until", "while_suspended", "hold_otherwise"}


def test_a_long_list_follows_its_domain_in_parts() -> None:
    admin = AdminWorld()
    names = [f"user{number:04}" for number in range(2500)]
    apply(admin, [*ACME[:2], {**ACME[2], "addresses": names}])
    export = asyncio.run(exported(admin.context))
    parts = [one["addresses"] for one in export if one["thing"] == "addresses"]
    assert [name for part in parts for name in part] == names
    assert max(map(len, parts)) == 1000
    other = AdminWorld()
    assert numbers(apply(other, export))[4] == 0
    assert asyncio.run(exported(other.context)) == export


# --- any two configurations

ACCOUNTS = ("a", "b", "c")


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


suspensions = st.one_of(
    st.just({}),
    st.sampled_from(["relay", "on-return", "until-asked"]).map(lambda hold: {"hold": hold}),
    optional(
        until=st.just("2030-01-01T00:00:00Z"),
        while_suspended=st.sampled_from(["accept", "defer"]),
        hold_otherwise=st.sampled_from(["relay", "on-return"]),
    ).map(lambda fields: {"hold": "suspended", "reason": "moving", **fields}),
)
logins_at_destinations: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.just({}),
    st.sampled_from(["one", "two"]).map(
        lambda user: {
            "tls": "required",
            "destination_login": user,
            "destination_password": f"password of {user}",
        }
    ),
)
domain_fields = st.builds(
    lambda *parts: {key: value for part in parts for key, value in part.items()},
    optional(
        allow=st.lists(st.sampled_from(["192.0.2.1", "10.0.0.0/8", "h.example"]), unique=True),
        connections=st.integers(1, 100),
        per_minute=st.integers(0, 5),
        client_address=st.sampled_from(["none", "proxy", "xclient"]),
        force_accept=st.sampled_from(["on", "off", ""]),
        recipients=st.sampled_from(["any", "list"]),
        unknown=st.sampled_from(["accept", "defer", "reject"]),
        ignore_tags=st.booleans(),
        quota=st.integers(0, 3),
        message_size=st.integers(0, 3),
        retention=st.integers(0, 3),
        at_end=st.sampled_from(["keep", "delete", "bounce"]),
        refused_retention=st.integers(0, 3),
        on_refusal=st.sampled_from(["keep", "bounce"]),
        after_drains=st.sampled_from([0, 2, 255]),
        drill_every=st.sampled_from([0, 86400, 31622400]),
    ),
    suspensions,
    logins_at_destinations,
)


@st.composite
def configurations(draw: st.DrawFn) -> Entries:
    """Any configuration of three accounts, with things that can move between them."""
    names = draw(st.lists(st.sampled_from(ACCOUNTS), unique=True))
    owners = st.sampled_from(names) if names else st.nothing()
    entries: list[dict[str, Any]] = []
    for name in names:
        fields = optional(
            note=st.sampled_from(["", "x"]),
            quota=st.integers(0, 2),
            empty_reply=st.sampled_from([250, 251]),
            history=st.sampled_from(["full", "none"]),
        )
        entries.append({"thing": "account", "name": name, **draw(fields)})
    for user in draw(st.lists(st.sampled_from(["one", "two"]), unique=True)) if names else []:
        password = draw(st.sampled_from(["correct horse", "battery staple"]))
        login = {"thing": "login", "user": user, "account": draw(owners), "password": password}
        ends = optional(expires_at=st.sampled_from(["2030-01-01T00:00:00Z", "never"]))
        entries.append(login | {"cram_md5": draw(st.booleans())} | draw(ends))
    for name in draw(st.lists(st.sampled_from(["x.example", "y.example"]), unique=True)) * bool(
        names
    ):
        domain = {"thing": "domain", "name": name, "account": draw(owners)}
        domain["destination"] = draw(st.sampled_from(["192.0.2.1", "192.0.2.2:26"]))
        addresses = draw(st.lists(st.sampled_from(["anna", "b*", "carl"]), unique=True))
        entries.append({**domain, "addresses": addresses, **draw(domain_fields)})
    for name in draw(st.lists(st.sampled_from(["ops", "hook"]), unique=True)):
        owner = draw(st.sampled_from(["", *names]))
        ways = ({"mail": "o@elsewhere.example"}, {"webhook": "https://h.example", "key": KEY})
        channel = {
            "thing": "channel",
            "name": name,
            "account": owner,
            **draw(st.sampled_from(ways)),
        }
        kinds = ["drain-finished"] if owner else ["room-short"]
        entries.append({**channel, **draw(optional(kinds=st.sampled_from([[], kinds])))})
    return entries


KEY = "whsec_" + "QUJD" * 8


async def state(admin: AdminWorld) -> list[dict[str, Any]]:
    """Return all records, with whatever can be compared of their secrets."""
    entries = await exported(admin.context)
    for login in admin.context.directory.now.logins.values():
        assert login.can_use_scram
    return entries


@given(configurations(), configurations())
@settings(max_examples=50, deadline=None)
def test_pruning_gives_the_same_result_from_any_state(first: Entries, second: Entries) -> None:
    async def story() -> None:
        admin, empty = AdminWorld(), AdminWorld()
        assert numbers(await applied(admin.context, first))[4] == 0
        assert numbers(await applied(admin.context, second, PruneScope.ACCOUNTS))[4] == 0
        assert numbers(await applied(empty.context, second))[4] == 0
        assert await state(admin) == await state(empty)
        again = await applied(admin.context, second, PruneScope.ACCOUNTS)
        assert numbers(again)[:3] == (0, 0, 0)

    asyncio.run(story())


@pytest.mark.parametrize("prune", [PruneScope.NOTHING, PruneScope.RECORDS])
def test_accounts_that_are_not_named_stay_unless_they_are_to_go(prune: PruneScope) -> None:
    admin = AdminWorld()
    apply(admin, EVERYTHING)
    before = asyncio.run(exported(admin.context, "beta"))
    apply(admin, [EVERYTHING[0]], prune)
    assert asyncio.run(exported(admin.context, "beta")) == before
    names = set(admin.context.directory.now.logins)
    assert names == (set() if prune is PruneScope.RECORDS else {"acme-mail", "other"})


def test_an_export_of_secrets_is_audited_before_it_begins() -> None:
    async def story() -> None:
        admin = AdminWorld()
        await applied(admin.context, EVERYTHING)
        await exported(admin.context)
        for account in (None, "acme"):
            await anext(export_with_secrets(admin.context, account))
        entries = await admin.store.audit.audit(limit=2)
        assert [(one.action, one.subject, one.account) for one in entries] == [
            (AuditAction.SECRETS_EXPORTED, "acme", "acme"),
            (AuditAction.SECRETS_EXPORTED, "all accounts", ""),
        ]
        with pytest.raises(AdminError):
            await anext(export_with_secrets(admin.context, "none"))
        assert len(await admin.store.audit.audit(limit=2)) == 2

    asyncio.run(story())


# The fields of records that an export has, and those that it leaves out for a reason. A new field
# of a record needs a place in one of them: an export must make the same record elsewhere.
LEFT_OUT = {"id", "created_at", "turnaround_at"}  # an operator who applies it does not wait
EXPORTED = {
    Account: {"name", "empty_reply", "note", "quota", "report_details", "history", "change_lock"},
    Login: {
        *("user", "account", "password_hash", "sealed_secret", "sealed_verifier"),
        *("valid_until", "prior", "turnaround", "certificates"),
    },
    HostedDomain: {"name", "account", "destination", "authorized_hosts", "policy"},
    Destination: {*Destination.__dataclass_fields__},
    Policy: {*Policy.__dataclass_fields__} - FOUND,
    Channel: {"account", "name", "transport", "target", "sealed", "kinds", "all_accounts"},
}


@pytest.mark.parametrize("record", EXPORTED, ids=lambda record: record.__name__)
def test_every_field_of_a_record_is_exported(record: Any) -> None:
    assert {field.name for field in fields(record)} - LEFT_OUT - FOUND == EXPORTED[record]


def test_every_field_of_destination_and_policy_is_exported() -> None:
    async def story() -> None:
        admin, other = AdminWorld(), AdminWorld()
        await applied(admin.context, EVERYTHING)
        await applied(other.context, await exported(admin.context, with_secrets=True))
        ours, theirs = (one.context.directory.now for one in (admin, other))
        domain, copy = (one.domains["acme.example"] for one in (ours, theirs))
        assert copy == replace(domain, id=copy.id)
        plain = Policy()
        same = {
            field.name
            for field in fields(Policy)
            if getattr(domain.policy, field.name) == getattr(plain, field.name)
        }
        assert same == FOUND, "the example leaves a default"
        assert theirs.logins == ours.logins
        assert theirs.accounts == ours.accounts

    asyncio.run(story())


def test_a_rotation_and_who_set_a_destination_move_with_their_records() -> None:
    async def story() -> None:
        admin, other = AdminWorld(), AdminWorld()
        await applied(admin.context, EVERYTHING)
        login = admin.context.directory.now.logins["acme-mail"]
        prior = PriorPassword("$argon2id$old", None, None, 2e9)
        rotating = replace(login, prior=prior, valid_until=3e9)
        await admin.store.records.put_login(rotating, NOTED)
        domain = admin.context.directory.now.domains["acme.example"]
        chosen = replace(
            domain, destination=replace(domain.destination, host="8.8.8.8", set_by="acme")
        )
        await admin.store.records.put_domain(chosen, NOTED)
        await admin.context.directory.refresh()
        await applied(other.context, await exported(admin.context, with_secrets=True))
        copies = other.context.directory.now
        assert copies.logins["acme-mail"] == rotating
        assert copies.domains["acme.example"].destination == chosen.destination

    asyncio.run(story())
