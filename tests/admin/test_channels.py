"""Channels of notices: permissions, and secrets that are never shown."""

import asyncio
from typing import Any

import pytest

from restante.admin.accounts import remove_account
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.channel_change import ChannelChange
from restante.admin.channels import (
    ChannelView,
    add_channel,
    change_channel,
    find_channel,
    list_channels,
    list_waiting,
    remove_channel,
    try_channel,
)
from restante.admin.domain_change import NewDomain
from restante.admin.domains import add_domain
from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.notices.transports import ChannelSecret, open_secret
from restante.notices.webhook_signature import new_signing_key
from restante.request_limits.dial_limits import OF_ACCOUNT
from restante.tenancy.audit import AuditAction, AuditFilter
from restante.tenancy.notice import OF_ACCOUNTS, OF_THE_SERVER, NewNotice, NoticeFacts, NoticeKind
from restante.tenancy.principal import account_login
from restante.tenancy.record_change import Change
from restante.tenancy.sealed_secrets import SealBroken
from tests.admin.admin_world import NOW, AdminWorld, all_of, run
from tests.admin.channel_making import URL, admin_with_alpha, hook, mail
from tests.wire import audit

ALPHA = account_login("alpha-mail", "alpha", "192.0.2.1")


@pytest.fixture
def admin() -> AdminWorld:
    return admin_with_alpha()


def test_a_webhook_is_kept_sealed_and_shown_without_its_secrets(admin: AdminWorld) -> None:
    new = hook(account="alpha")
    view = run(add_channel(admin.context, new))
    assert (view.name, view.account, view.transport, view.target) == (
        "hook",
        "alpha",
        "webhook",
        "https://hook.example/…",
    )
    assert view.kinds == sorted(OF_ACCOUNTS)
    [channel] = admin.context.directory.now.channels.values()
    assert new.key is not None
    assert open_secret(admin.context.vault, channel) == ChannelSecret(
        URL, new.key.get_secret_value()
    )
    said = (
        f"{view!r} {channel!r} {run(admin.store.audit.audit())!r} {admin.log.lines!r}"
        f" {list(list_channels(admin.context))!r} {new!r}"
    )
    assert "a-token" not in said
    assert new.key.get_secret_value() not in said
    assert "a-token" not in repr(open_secret(admin.context.vault, channel))


def test_a_secret_is_no_good_in_another_channels_place(admin: AdminWorld) -> None:
    run(add_channel(admin.context, hook(account="alpha")))
    [channel] = admin.context.directory.now.channels.values()
    for account, name in (("", "hook"), ("alpha", "other")):
        stolen = type(channel)(
            **{field: getattr(channel, field) for field in channel.__slots__}
            | {"account": account, "name": name}
        )
        with pytest.raises(SealBroken):
            open_secret(admin.context.vault, stolen)


def test_adding_and_removing_are_audited(admin: AdminWorld) -> None:
    run(add_channel(admin.context, hook(account="alpha")))
    run(remove_channel(admin.context, "alpha", "hook", "they have moved"))
    removed, added = run(admin.store.audit.audit(AuditFilter(account="alpha")))[:2]
    assert (added.action, added.subject, added.reason) == (AuditAction.CHANNEL_ADDED, "hook", "")
    assert Change("target", "none", "https://hook.example/…") in added.changes
    assert (removed.action, removed.reason) == (AuditAction.CHANNEL_REMOVED, "they have moved")
    assert admin.context.directory.now.channels == {}


def test_the_operators_own_hear_of_the_server_and_of_accounts_if_wanted(admin: AdminWorld) -> None:
    own = run(add_channel(admin.context, hook()))
    every = run(add_channel(admin.context, hook("every", all_accounts=True)))
    one = run(add_channel(admin.context, hook("one", kinds=("room-short",))))
    assert set(own.kinds) == OF_THE_SERVER
    assert set(every.kinds) == OF_THE_SERVER | OF_ACCOUNTS
    assert one.kinds == ["room-short"]


def test_a_name_is_taken_once_in_each_account(admin: AdminWorld) -> None:
    run(add_channel(admin.context, hook(account="alpha")))
    run(add_channel(admin.context, hook()))
    with pytest.raises(AdminError, match="is there already; transport is webhook") as caught:
        run(add_channel(admin.context, mail("ops@example.org", "hook", account="alpha")))
    assert caught.value.kind is ErrorKind.EXISTS
    assert [(one.account, one.name) for one in list_channels(admin.context)] == [
        ("", "hook"),
        ("alpha", "hook"),
    ]
    assert [one.account for one in list_channels(admin.context, "alpha")] == ["alpha"]


@pytest.mark.parametrize(
    ("end", "is_sent"),
    [(NoticeResult.SENT, True), (NoticeResult.NOT_NOW, False), (NoticeResult.REFUSED, False)],
)
def test_a_test_is_sent_now_and_says_how_it_went(
    admin: AdminWorld, end: NoticeResult, is_sent: bool
) -> None:
    run(add_channel(admin.context, mail("ops@example.org")))
    admin.transports.answer = NoticeAttempt(end, "the answer")
    outcome = run(try_channel(admin.context, "", "mail"))
    assert (outcome.is_sent, outcome.text) == (is_sent, "the answer")
    [(channel, notice)] = admin.transports.sent
    assert (channel.name, notice.facts.kind, notice.facts.account) == ("mail", NoticeKind.TEST, "")
    assert run(all_of(list_waiting(admin.context))) == []


def test_new_names_are_no_way_around_the_limit_of_tests(admin: AdminWorld) -> None:
    """Otherwise an account could scan the ports of a host, or flood a mailbox."""
    context = admin.context.acting(ALPHA)
    new = [hook(f"b{port}", webhook=f"https://HOOK.example:{port}/") for port in (1, 2)]
    new += [mail(address, f"m{i}") for i, address in enumerate(("ops@x.example", "OPS@x.example"))]
    for one, dialed in zip(new, ("", "hook.example", "", "ops@x.example"), strict=True):
        run(add_channel(context, one))
        tried = try_channel(context, "alpha", one.name)
        if dialed:
            cause = f"notice channel {one.name}: this account has just started a test of {dialed}"
            with pytest.raises(AdminError, match=cause) as caught:
                run(tried)
            assert (caught.value.kind, caught.value.seconds) == (ErrorKind.TRY_LATER, 60)
        else:
            run(tried)
        run(remove_channel(context, "alpha", one.name, "again"))


def test_an_account_tests_only_a_few_channels_a_minute(admin: AdminWorld) -> None:
    context = admin.context.acting(ALPHA)
    for number in range(OF_ACCOUNT + 1):
        run(add_channel(context, mail(f"ops@x{number}.example", f"m{number}")))
    for number in range(OF_ACCOUNT):
        run(try_channel(context, "alpha", f"m{number}"))
    with pytest.raises(
        AdminError, match="m6: this account has just started several checks, drills or tests"
    ):
        run(try_channel(context, "alpha", "m6"))
    run(try_channel(admin.context, "alpha", "m6"))  # the operator has no limit


@pytest.mark.parametrize("account", ["", "beta"])
def test_another_accounts_channel_is_not_there(admin: AdminWorld, account: str) -> None:
    run(admin.host("beta.example", "beta"))
    run(add_channel(admin.context, hook(account="alpha")))
    for work in (
        remove_channel(admin.context, account, "hook", "why"),
        try_channel(admin.context, account, "hook"),
    ):
        with pytest.raises(AdminError) as caught:
            run(work)
        assert caught.value.kind is ErrorKind.NOT_FOUND
    assert admin.transports.sent == []


def test_waiting_notices_are_shown_by_account(admin: AdminWorld) -> None:
    async def story() -> None:
        await add_channel(admin.context, hook(account="alpha"))
        await add_channel(admin.context, hook("own"))
        for channel in admin.context.directory.now.channels.values():
            facts = NoticeFacts(NoticeKind.TEST, channel.account, "thing", "text", NOW)
            await admin.store.notices.keep_notices(
                [NewNotice(channel.id, f"key of {channel.name}", facts, 3, NOW)], [], [], 10
            )

    asyncio.run(story())
    assert [one.id for one in run(all_of(list_waiting(admin.context)))] == [
        "key of hook",
        "key of own",
    ]
    [one] = run(all_of(list_waiting(admin.context, "alpha")))
    assert (one.channel, one.account, one.kind, one.held_back, one.failures) == (
        "hook",
        "alpha",
        "test",
        3,
        0,
    )
    assert len(run(all_of(list_waiting(admin.context, limit=1)))) == 1


def test_an_account_with_channels_is_not_removed(admin: AdminWorld) -> None:
    run(add_channel(admin.context, hook(account="alpha")))
    with pytest.raises(AdminError, match="1 notice channel;"):
        run(remove_account(admin.context, "alpha", "gone"))


def test_hosting_a_domain_that_notices_are_mailed_to_warns(admin: AdminWorld) -> None:
    run(add_channel(admin.context, mail("ops@beta.example", account="alpha")))
    new = NewDomain(
        name="beta.example", account="alpha", destination="192.0.2.7", allow=("192.0.2.1",)
    )
    assert run(add_domain(admin.context, new)).warnings == [
        "domain beta.example: notice channel mail of alpha mails to it, and is given up"
    ]


# --- changes


def change(
    admin: AdminWorld, name: str = "hook", account: str = "alpha", **fields: Any
) -> ChannelView:
    wanted = ChannelChange.model_validate(fields)
    return run(change_channel(admin.context, account, name, wanted, "they have moved"))


def secret(admin: AdminWorld) -> ChannelSecret:
    """Return what the only channel keeps secret."""
    [channel] = admin.context.directory.now.channels.values()
    return open_secret(admin.context.vault, channel)


def test_a_change_is_audited_without_its_secrets(admin: AdminWorld) -> None:
    run(add_channel(admin.context, hook(account="alpha")))
    key = new_signing_key()
    change(
        admin, webhook="https://b.example/b-token", key=key, kinds=("quota-reached", "mail-expired")
    )
    change(admin, kinds=())
    again, first = run(admin.store.audit.audit(AuditFilter(account="alpha")))[:2]
    assert (first.action, first.subject) == (AuditAction.CHANNEL_CHANGED, "hook")
    assert first.reason == again.reason == "they have moved"
    assert [one.field for one in first.changes] == ["target", "sealed secret", "kinds"]
    assert first.changes[0] == Change("target", "https://hook.example/…", "https://b.example/…")
    assert first.changes[1] == Change("sealed secret", "set", "replaced")
    assert [(one.field, one.before) for one in again.changes] == [
        ("kinds", "mail-expired, quota-reached")
    ]
    said = (
        f"{run(admin.store.audit.audit())!r} {admin.log.lines!r}"
        f" {list(list_channels(admin.context))!r}"
    )
    assert "b-token" not in said
    assert key not in said


def test_the_same_target_and_key_again_change_nothing(admin: AdminWorld) -> None:
    run(add_channel(admin.context, hook(account="alpha")))
    target = secret(admin).url
    before = len(run(admin.store.audit.audit()))
    change(admin, webhook=target)
    change(admin, webhook=target, key=secret(admin).key)
    assert len(run(admin.store.audit.audit())) == before
    change(admin, webhook=f"{target}x")
    assert len(run(admin.store.audit.audit())) == before + 1


def test_waiting_notices_leave_by_the_channel_of_that_time(admin: AdminWorld) -> None:
    async def story() -> None:
        await add_channel(admin.context, hook(account="alpha"))
        [channel] = admin.context.directory.now.channels.values()
        facts = NoticeFacts(NoticeKind.MAIL_EXPIRED, "alpha", "thing", "text", NOW)
        await admin.store.notices.keep_notices(
            [NewNotice(channel.id, "the key", facts, 0, NOW + 900)], [], [], 10
        )
        await change_channel(
            admin.context, "alpha", "hook", ChannelChange(kinds=(NoticeKind.QUOTA_REACHED,)), "why"
        )

    run(story())
    [waiting] = run(all_of(list_waiting(admin.context)))
    assert (waiting.id, waiting.next_attempt_at.timestamp()) == ("the key", NOW)


def test_a_change_needs_its_reason_and_a_channel(admin: AdminWorld) -> None:
    run(add_channel(admin.context, mail("ops@example.org", account="alpha")))
    with pytest.raises(AdminError, match="only webhooks are signed"):
        change(admin, "mail", key=new_signing_key())
    with pytest.raises(AdminError, match="reason"):
        run(change_channel(admin.context, "alpha", "mail", ChannelChange(kinds=()), " "))
    for account, name in (("", "mail"), ("alpha", "hook")):
        with pytest.raises(AdminError) as caught:
            change(admin, name, account, kinds=())
        assert caught.value.kind is ErrorKind.NOT_FOUND


def test_a_channel_that_goes_while_it_is_changed_is_not_added_again(admin: AdminWorld) -> None:
    run(add_channel(admin.context, hook(account="alpha")))
    [channel] = admin.context.directory.now.channels.values()
    run(admin.store.records.remove_channel(channel.id, audit()))
    with pytest.raises(AdminError, match="was changed by somebody else") as caught:
        change(admin, kinds=("mail-expired",))
    assert caught.value.kind is ErrorKind.CONFLICT
    assert run(admin.store.records.directory()).channels == {}


@pytest.mark.parametrize(
    ("account", "name", "meant"),
    [
        ("alpha", "hock", "did you mean hook?"),
        ("", "hook", "did you mean --account alpha?"),
        ("alpha", "mine", "did you mean no --account?"),
        ("alpha", "other", ""),
    ],
)
def test_a_name_that_is_no_channel_is_answered_by_the_most_alike(
    account: str, name: str, meant: str, admin: AdminWorld
) -> None:
    run(add_channel(admin.context, hook(account="alpha")))
    run(add_channel(admin.context, hook(name="mine")))
    with pytest.raises(AdminError) as caught:
        run(remove_channel(admin.context, account, name, "gone"))
    assert caught.value.remedy == f"{meant} `restante notice list` shows all".lstrip()


def test_a_customer_is_not_asked_about_channels_of_others(admin: AdminWorld) -> None:
    run(add_channel(admin.context, hook(name="mine")))
    customer = admin.context.acting(account_login("mail", "alpha", "192.0.2.1"))
    with pytest.raises(AdminError) as caught:
        find_channel(customer, "alpha", "mine")
    assert "mean" not in caught.value.remedy
