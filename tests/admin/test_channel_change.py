"""The fields of a channel: one transport, one target, its key and its kinds."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.channel_change import ChannelChange, NewChannel
from restante.admin.channels import (
    ChannelView,
    add_channel,
    change_channel,
    remove_channel,
)
from restante.notices.transports import ChannelSecret, open_secret
from restante.notices.webhook_signature import new_signing_key
from restante.tenancy.notice import OF_ACCOUNTS, OF_THE_SERVER
from restante.tenancy.principal import account_login
from restante.tenancy.record_change import Change
from restante.tenancy.sealed_secrets import Vault
from tests.admin.admin_world import AdminWorld, run
from tests.admin.channel_making import admin_with_alpha, hook, mail, refusal


@pytest.fixture
def admin() -> AdminWorld:
    return admin_with_alpha()


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"name": "Bad Name"}, ErrorKind.INVALID),
        ({"account": "nobody"}, ErrorKind.NOT_FOUND),
        ({"webhook": None}, ErrorKind.USAGE),
        ({"mail": "ops@example.org"}, ErrorKind.USAGE),
        ({"webhook": "http://hook.example/a-token"}, ErrorKind.INVALID),
        ({"webhook": "gopher://a-token"}, ErrorKind.INVALID),
        ({"key": None}, ErrorKind.INVALID),
        ({"key": "a-token"}, ErrorKind.INVALID),
        ({"account": "alpha", "all_accounts": True}, ErrorKind.USAGE),
        ({"account": "alpha", "kinds": ("room-short",)}, ErrorKind.INVALID),
        ({"kinds": ("mail-after-quiet",)}, ErrorKind.INVALID),
        ({"webhook": None, "mail": "not an address", "key": None}, ErrorKind.INVALID),
        ({"webhook": None, "apprise": "a-token", "key": None}, ErrorKind.INVALID),
        ({"webhook": None, "apprise": "nothing://a-token", "key": None}, ErrorKind.INVALID),
        ({"webhook": None, "mail": "ops@example.org"}, ErrorKind.USAGE),
        (
            {"webhook": None, "mail": "ops@example.org", "key": None, "insecure": True},
            ErrorKind.USAGE,
        ),
        ({"apprise": "json://hook.example/a-token"}, ErrorKind.USAGE),
    ],
)
def test_an_invalid_channel_is_refused_with_its_remedy(
    admin: AdminWorld, fields: dict[str, Any], kind: ErrorKind
) -> None:
    error = refusal(admin, hook(**fields))
    assert error.kind is kind
    assert error.remedy
    assert "a-token" not in str(error)


def test_a_webhook_without_a_key_is_told_that_it_needs_one(admin: AdminWorld) -> None:
    assert "needs a key" in refusal(admin, hook(key=None)).error


PRIVATE_URLS = [
    "https://127.0.0.1/a-token",
    "https://10.0.0.7:8443/a-token",
    "https://[::1]/a-token",
    "https://[::ffff:192.168.0.1]/a-token",
    "https://inside.example/a-token",
    "http://localhost/a-token",
    "https://2130706433/a-token",
    "https://0x7f.1/a-token",
    "https://0/a-token",
]


@pytest.mark.parametrize("url", PRIVATE_URLS)
def test_a_webhook_that_could_never_be_sent_is_refused_to_an_account(
    admin: AdminWorld, url: str
) -> None:
    admin.resolver.known |= {"inside.example": ["10.0.0.7", "fd00::7"], "localhost": ["127.0.0.1"]}
    error = refusal(admin, hook(account="alpha", webhook=url))
    assert error.kind is ErrorKind.INVALID
    assert "has no public address" in error.error
    assert "a-token" not in str(error)
    run(add_channel(admin.context, hook("own", webhook=url)))
    admin.set(private_addresses=lambda: True)
    run(add_channel(admin.context, hook("laboratory", account="alpha", webhook=url)))


def test_a_webhook_of_an_account_may_name_a_host_that_is_public_or_not_known(
    admin: AdminWorld,
) -> None:
    admin.resolver.known["both.example"] = ["10.0.0.7", "8.8.8.8"]
    for name, host in (("one", "both.example"), ("two", "8.8.8.8"), ("three", "later.example")):
        run(add_channel(admin.context, hook(name, account="alpha", webhook=f"https://{host}/")))


def test_plain_http_is_taken_where_that_is_said(admin: AdminWorld) -> None:
    assert (
        run(
            add_channel(admin.context, hook(webhook="http://hook.example/x", insecure=True))
        ).target[:5]
        == "http:"
    )


@pytest.mark.parametrize("url", ["http://b.example/b-token", "https://b.example/b-token"])
def test_only_an_operator_allows_plain_http(admin: AdminWorld, url: str) -> None:
    """An operator may, for the channel of an account too, which keeps it after that."""
    run(add_channel(admin.context, hook(account="alpha")))
    operator, account = admin.context, admin.context.acting(account_login("mail", "alpha", ""))
    before = run(admin.store.records.directory())
    admin.context = account
    other = hook("two", account="alpha", webhook=url, insecure=True)
    works: list[Callable[[], ChannelView]] = [
        lambda: change(admin, webhook=url, insecure=True),
        lambda: run(add_channel(account, other)),
    ]
    for work in works:
        with pytest.raises(AdminError, match="plain HTTP: login mail is not allowed to") as caught:
            work()
        assert caught.value.kind is ErrorKind.NOT_ALLOWED
        assert "b-token" not in str(caught.value)
    assert run(admin.store.records.directory()) == before
    admin.context = operator
    change(admin, webhook=url, insecure=True)
    admin.context = account
    change(admin, kinds=("quota-reached",))
    assert secret(admin).url == url


@pytest.mark.parametrize(
    "address", ["ops@alpha.example", "ops@ALPHA.example", "postmaster@mx2.example.net"]
)
def test_mail_to_a_domain_that_is_hosted_here_is_refused(admin: AdminWorld, address: str) -> None:
    error = refusal(admin, mail(address, account="alpha"))
    assert error.kind is ErrorKind.INVALID
    assert "is held here" in error.error


def change(
    admin: AdminWorld, name: str = "hook", account: str = "alpha", **fields: Any
) -> ChannelView:
    wanted = ChannelChange.model_validate(fields)
    return run(change_channel(admin.context, account, name, wanted, "they have moved"))


def secret(admin: AdminWorld) -> ChannelSecret:
    """Return what the only channel keeps secret."""
    [channel] = admin.context.directory.now.channels.values()
    return open_secret(admin.context.vault, channel)


def test_where_to_key_and_kinds_are_changed_each_for_itself(admin: AdminWorld) -> None:
    run(add_channel(admin.context, hook(account="alpha")))
    key, other = secret(admin).key, new_signing_key()
    [before] = admin.context.directory.now.channels.values()
    assert change(admin, webhook="https://b.example/b-token").target == "https://b.example/…"
    assert secret(admin) == ChannelSecret("https://b.example/b-token", key)
    assert change(admin, key=f"{other}\n").target == "https://b.example/…"
    assert secret(admin) == ChannelSecret("https://b.example/b-token", other)
    assert change(admin, kinds=("quota-reached",)).kinds == ["quota-reached"]
    assert secret(admin) == ChannelSecret("https://b.example/b-token", other)
    assert change(admin, kinds=()).kinds == sorted(OF_ACCOUNTS)
    [after] = admin.context.directory.now.channels.values()
    assert (after.id, after.created_at) == (before.id, before.created_at)


def test_every_kind_is_more_with_all_accounts_and_less_without(admin: AdminWorld) -> None:
    run(add_channel(admin.context, hook()))
    assert set(change(admin, account="", all_accounts=True).kinds) == OF_THE_SERVER | OF_ACCOUNTS
    assert not change(admin, account="", all_accounts=False).all_accounts
    [channel] = admin.context.directory.now.channels.values()
    assert (channel.kinds, channel.all_accounts) == (OF_THE_SERVER, False)
    assert change(
        admin, account="", all_accounts=True, kinds=("mail-expired", "room-short")
    ).kinds == [
        "mail-expired",
        "room-short",
    ]
    with pytest.raises(AdminError, match="never get mail-expired"):
        change(admin, account="", all_accounts=False)
    [newest] = run(admin.store.audit.audit(limit=1))
    assert newest.changes[0].after == "mail-expired, room-short"
    assert newest.changes[1] == Change("all_accounts", "no", "yes")


def test_a_mail_address_and_a_url_of_apprise_are_changed(admin: AdminWorld) -> None:
    run(add_channel(admin.context, mail("ops@example.org", account="alpha")))
    assert change(admin, "mail", mail="noc@Example.ORG").target == "noc@example.org"
    with pytest.raises(AdminError, match="is held here"):
        change(admin, "mail", mail="ops@alpha.example")
    run(remove_channel(admin.context, "alpha", "mail", "why"))
    chat = NewChannel.model_validate(
        {"name": "chat", "apprise": "jsons://a.example/a-token", "account": "alpha"}
    )
    run(add_channel(admin.context, chat))
    assert change(admin, "chat", apprise="xmls://b.example/b-token").target == "xmls://…"
    assert secret(admin) == ChannelSecret("xmls://b.example/b-token")


@pytest.mark.parametrize(
    ("fields", "kind", "says"),
    [
        ({}, ErrorKind.USAGE, "nothing to change"),
        (
            {"webhook": "https://b.example/b-token", "mail": "ops@example.org"},
            ErrorKind.USAGE,
            "a channel has exactly one transport",
        ),
        (
            {"mail": "ops@example.org"},
            ErrorKind.USAGE,
            "its transport is webhook and cannot be changed",
        ),
        (
            {"apprise": "json://b.example/b-token"},
            ErrorKind.USAGE,
            "add another for apprise, then remove this one",
        ),
        ({"webhook": "http://b.example/b-token"}, ErrorKind.INVALID, "--insecure"),
        ({"webhook": "b-token"}, ErrorKind.INVALID, "not an HTTP URL"),
        ({"insecure": True, "kinds": ()}, ErrorKind.USAGE, "applies only to a webhook"),
        ({"key": "b-token"}, ErrorKind.INVALID, "its key cannot be used"),
        ({"kinds": ("room-short",)}, ErrorKind.INVALID, "never get room-short"),
        (
            {"all_accounts": True},
            ErrorKind.USAGE,
            "an account cannot get notices of other accounts",
        ),
    ],
)
def test_an_impossible_change_is_reported_and_changes_nothing(
    admin: AdminWorld, fields: dict[str, Any], kind: ErrorKind, says: str
) -> None:
    run(add_channel(admin.context, hook(account="alpha")))
    before, trail = run(admin.store.records.directory()), len(run(admin.store.audit.audit()))
    with pytest.raises(AdminError, match=says) as caught:
        change(admin, **fields)
    assert (caught.value.kind, run(admin.store.records.directory())) == (kind, before)
    assert len(run(admin.store.audit.audit())) == trail
    assert "b-token" not in str(caught.value)


def test_a_secret_under_a_lost_key_file_is_given_anew_as_a_whole(admin: AdminWorld) -> None:
    run(add_channel(admin.context, hook(account="alpha")))
    admin.context = replace(admin.context, vault=Vault(b"another key file, of 32 octets.."))
    for part in ({"key": new_signing_key()}, {"webhook": "https://b.example/"}):
        with pytest.raises(
            AdminError, match="cannot be opened with this key file; give URL and key again"
        ):
            change(admin, **part)
    key = new_signing_key()
    change(admin, key=key, webhook="https://b.example/")
    assert secret(admin) == ChannelSecret("https://b.example/", key)
