"""Waiting reports: their listing, and the audit entry of a drop in the account's trail."""

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.bounce import bounce_messages
from restante.admin.held_mail import NamedMessages
from restante.admin.report_queue import (
    NamedReports,
    ReportSelection,
    drop_reports,
    list_reports,
    show_report,
)
from restante.tenancy.audit import AuditAction, AuditFilter
from tests.admin.admin_world import AdminWorld, all_of, run


async def bounced() -> AdminWorld:
    """Reports 1 and 2, on a message of each of two accounts."""
    admin = AdminWorld()
    for number, name in enumerate(("alpha", "beta"), start=1):
        domain_id = await admin.host(f"{name}.example", name)
        await admin.hold(number, domain_id, f"x@{name}.example", reverse_path=f"sender@{name}.test")
        await admin.refuse(number, domain_id, f"x@{name}.example", "550 5.1.1 no such user")
        await bounce_messages(admin.context, NamedMessages(names=(str(number),), reason="done"))
    return admin


def test_they_are_listed_by_what_is_asked() -> None:
    async def story() -> None:
        admin = await bounced()
        first, second = await all_of(list_reports(admin.context, ReportSelection()))
        assert (first.number, first.message, first.domain, first.to) == (
            1,
            "1",
            "alpha.example",
            "sender@alpha.test",
        )
        assert (first.action, first.failures, first.reply) == ("failed", 0, "")
        assert await all_of(
            list_reports(admin.context, ReportSelection(domain="beta.example"))
        ) == [second]
        assert await all_of(list_reports(admin.context, ReportSelection(to="SENDER@beta*"))) == [
            second
        ]
        with pytest.raises(AdminError):
            await all_of(list_reports(admin.context, ReportSelection(domain="gamma.example")))

    run(story())


def test_one_is_shown_with_what_it_says_but_nothing_of_the_mail() -> None:
    async def story() -> None:
        admin = await bounced()
        shown = await show_report(admin.context, 1)
        assert {field.name for field in shown.headers} >= {"From", "To", "Subject", "Content-Type"}
        of_message, of_recipient = (
            {field.name: field.value for field in group} for group in shown.status
        )
        assert of_message["Reporting-MTA"].startswith("dns; ")
        assert of_recipient["Final-Recipient"] == "rfc822; x@alpha.example"
        assert of_recipient["Diagnostic-Code"] == "smtp; 550 5.1.1 no such user"
        assert "=?utf-8?q?x?=" not in shown.model_dump_json()
        with pytest.raises(AdminError) as caught:
            await show_report(admin.context, 7)
        assert caught.value.kind is ErrorKind.NOT_FOUND

    run(story())


def test_a_drop_needs_a_reason_and_is_in_each_accounts_own_trail() -> None:
    async def story() -> None:
        admin = await bounced()
        with pytest.raises(AdminError):
            await drop_reports(admin.context, NamedReports(numbers=(1,)))
        done = await drop_reports(
            admin.context, NamedReports(numbers=(1, 2, 7), reason="a forged sender")
        )
        assert (done.dropped, done.missing) == (2, [7])
        for account, message in (("alpha", "1"), ("beta", "2")):
            [entry] = await admin.store.audit.audit(AuditFilter(account=account), limit=1)
            assert (entry.action, entry.subject) == (AuditAction.REPORTS_DROPPED, message)
            assert entry.reason == "a forged sender"
        assert await all_of(list_reports(admin.context, ReportSelection())) == []

    run(story())
