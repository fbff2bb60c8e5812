"""The operator's part of the trail: actor, action, acted_from and reason."""

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import (
    announce,
    checked_reason,
    entry,
    entry_about_mail,
    list_audit,
    with_changes,
)
from restante.tenancy.audit import AuditAction, AuditFilter
from restante.tenancy.principal import NOBODY, Principal, Role
from restante.tenancy.record_change import Change
from tests.actors import actor_named
from tests.admin.admin_world import AdminWorld, all_of, run


def test_the_trail_says_which_way_the_operator_came() -> None:
    async def story(admin: AdminWorld) -> str:
        await admin.host("alpha.example", "alpha")
        return (await all_of(list_audit(admin.context, AuditFilter(account="alpha"))))[0].acted_from

    assert run(story(AdminWorld())) == "control socket"
    assert run(story(AdminWorld(server=None))) == "command line"


@pytest.mark.parametrize("reason", ["", " ", "two\nlines", "x" * 501, "\x1b[31m"])
def test_an_irreversible_action_takes_a_reason_of_one_line(reason: str) -> None:
    with pytest.raises(AdminError) as caught:
        checked_reason(reason)
    assert caught.value.kind is ErrorKind.USAGE
    assert "--reason" in caught.value.remedy


def test_a_reason_stands_as_it_was_given_or_is_the_callers() -> None:
    context = AdminWorld().context.acting(NOBODY, "ticket 7")
    assert checked_reason("x" * 500) == "x" * 500
    made = [
        entry(context, AuditAction.DOMAIN_CHANGED, "a.example", "alpha", reason).reason
        for reason in ("asked by phone", "")
    ]
    assert made == ["asked by phone", "ticket 7"]


def test_an_entry_about_mail_is_of_its_own_account_and_of_none_for_a_domain_that_is_gone() -> None:
    async def story(admin: AdminWorld) -> None:
        number = await admin.host("alpha.example", "alpha")
        for domain_id, account, domain in ((number, "alpha", "alpha.example"), (99, "", "")):
            made = entry_about_mail(
                admin.context, AuditAction.MAIL_DELETED, domain_id, [1, 33], "spam"
            )
            assert (made.account, made.domain, made.subject) == (account, domain, "1 11")

    run(story(AdminWorld()))


def test_a_filter_that_means_nothing_is_refused_with_the_choices() -> None:
    with pytest.raises(AdminError, match=r"name one of .*domain-changed") as caught:
        run(all_of(list_audit(AdminWorld().context, AuditFilter(action="nonsense"))))
    assert caught.value.kind is ErrorKind.INVALID


def test_a_change_is_in_the_log_field_by_field() -> None:
    admin = AdminWorld()
    recorded = with_changes(
        entry(admin.context, AuditAction.DOMAIN_CHANGED, "a.example", "alpha"),
        [Change("hold", "until-asked", "relay")],
    )
    announce(admin.context, recorded)
    [(_, fields)] = admin.log.lines
    assert (fields["subject"], fields["actor"]) == ("a.example", "operator")
    assert fields["changes"] == ("hold: until-asked → relay",)


@pytest.mark.parametrize(
    ("wanted", "accounts"), [(None, ["alpha"]), ("alpha", ["alpha"]), ("beta", [])]
)
def test_an_account_reads_its_own_entries_whatever_it_asks_for(
    wanted: str | None, accounts: list[str]
) -> None:
    async def story(admin: AdminWorld) -> None:
        for name in ("alpha", "beta"):
            await admin.host(f"{name}.example", name)
        alice = admin.context.acting(
            Principal(Role.ACCOUNT, actor_named("token a"), "https", "alpha")
        )
        found = await all_of(list_audit(alice, AuditFilter(account=wanted)))
        assert sorted({one.account for one in found}) == accounts

    run(story(AdminWorld()))
