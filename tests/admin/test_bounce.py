"""Mail given up by hand: gone, told where that may be, and in the trail."""

from email import message_from_bytes

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.bounce import AT_ONCE, BounceChange, DamagedMessage, bounce_messages
from restante.admin.held_mail import NamedMessages
from restante.mail.delivery_report import Report
from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest
from restante.mail.envelope import Envelope
from restante.mail.message import ContentFile, HeldMessage, NewMessage, message_name
from restante.store.queue_store import QueueFilter
from restante.store.store_errors import Damaged, StoreError
from restante.telemetry.events import ReportMade
from restante.tenancy.audit import AuditAction
from tests.admin.admin_world import HEAD, NOW, AdminWorld, FakeServer, run

X, Y = "x@beta.example", "y@beta.example"


async def bounced(
    admin: AdminWorld, *names: str, reason: str = "the customer has moved"
) -> BounceChange:
    return await bounce_messages(admin.context, NamedMessages(names=names, reason=reason))


async def reports(admin: AdminWorld) -> list[Report]:
    return await admin.store.reports.due_reports(NOW, 1000, 1 << 30)


def test_held_and_refused_recipients_get_one_report_and_are_gone() -> None:
    async def story() -> None:
        admin = AdminWorld()
        beta = await admin.host("beta.example", "beta")
        await admin.hold(1, beta, X, Y)
        await admin.refuse(1, beta, Y, "550 5.1.1 no such user")
        assert await bounced(admin, "1", "zz") == BounceChange(
            changed=1, missing=["zz"], told=1, damaged=[]
        )

        [report] = await reports(admin)
        assert (report.about, report.reverse_path) == (1, "a@sender.example")
        groups = [
            str(part) for part in message_from_bytes(report.content).walk() if "Action" in part
        ]
        assert [group.split("\n")[0] for group in groups] == [
            f"Final-Recipient: rfc822; {X}",
            f"Final-Recipient: rfc822; {Y}",
        ]
        assert "Status: 5.4.7" in groups[0]
        assert (
            "Remote-MTA: dns; mail.alpha.example\nDiagnostic-Code: smtp; 550 5.1.1 no such user"
            in groups[1]
        )
        assert "nobody's business" not in report.content.decode()
        assert await admin.store.queue.message(1) is None
        [entry] = await admin.store.audit.audit(limit=1)
        assert (entry.action, entry.subject, entry.account, entry.reason) == (
            AuditAction.MAIL_BOUNCED,
            "1",
            "beta",
            "the customer has moved",
        )
        assert {one.field: one.before for one in entry.changes}["recipients"] == f"{X}, {Y}"
        assert admin.server is not None
        assert admin.server.reports_sent == 1
        made = [fields for event, fields in admin.log.lines if event is ReportMade]
        assert made == [{"message": "1", "action": "failed", "recipients": 2}]

    run(story())


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope("", (X,)),
        Envelope("a@sender.example", (X,), is_suspect=True),
        Envelope(
            "a@sender.example", (X,), dsn=DsnRequest(recipients={X: RecipientRequest(Notify.NEVER)})
        ),
    ],
)
def test_a_message_without_a_notifiable_sender_is_removed_without_a_report(
    envelope: Envelope,
) -> None:
    async def story() -> None:
        admin = AdminWorld()
        beta = await admin.host("beta.example", "beta")
        await admin.store.reception.hold([NewMessage(1, beta, envelope, NOW, HEAD)])
        assert await bounced(admin, "1") == BounceChange(changed=1, missing=[], told=0, damaged=[])
        assert await reports(admin) == []
        assert await admin.store.queue.message(1) is None

    run(story())


def test_each_accounts_trail_names_its_own_mail_only() -> None:
    async def story() -> None:
        admin = AdminWorld()
        beta, gamma = (
            await admin.host("beta.example", "beta"),
            await admin.host("gamma.example", "gamma"),
        )
        await admin.hold(1, beta, X)
        await admin.hold(2, gamma, "z@gamma.example")
        assert (await bounced(admin, "1", "2")).changed == 2
        trail = [
            entry
            for entry in await admin.store.audit.audit()
            if entry.action is AuditAction.MAIL_BOUNCED
        ]
        assert {(entry.account, entry.subject) for entry in trail} == {
            ("beta", "1"),
            ("gamma", "2"),
        }

    run(story())


def test_many_go_a_bounded_number_at_a_time() -> None:
    async def story() -> None:
        admin = AdminWorld()
        beta = await admin.host("beta.example", "beta")
        numbers = range(1, 2 * AT_ONCE + 2)
        for number in numbers:
            await admin.hold(number, beta, X)
        done = await bounced(admin, *map(message_name, numbers))
        assert (done.changed, done.told) == (2 * AT_ONCE + 1, 2 * AT_ONCE + 1)
        assert len(await reports(admin)) == 2 * AT_ONCE + 1
        entries = [
            entry
            for entry in await admin.store.audit.audit()
            if entry.action is AuditAction.MAIL_BOUNCED
        ]
        assert len(entries) == 3

    run(story())


def test_a_message_that_changes_while_its_report_is_made_stays() -> None:
    async def story() -> None:
        admin = AdminWorld()
        beta = await admin.host("beta.example", "beta")
        await admin.hold(1, beta, X, Y)
        message = admin.store.queue.message

        async def and_then_it_is_deleted(number: int) -> object:
            found = await message(number)
            admin.store.queue.message = message  # type: ignore[method-assign]
            await admin.store.queue.delete([1], (await admin.store.audit.audit())[0])
            return found

        admin.store.queue.message = and_then_it_is_deleted  # type: ignore[method-assign, assignment]
        assert await bounced(admin, "1") == BounceChange(
            changed=0, missing=["1"], told=0, damaged=[]
        )
        assert await reports(admin) == []

    run(story())


def test_mail_that_is_being_handed_over_is_not_bounced_but_what_was_refused_is() -> None:
    async def story() -> None:
        server = FakeServer()
        admin = AdminWorld(server=server)
        alpha = await admin.host("alpha.example", "alpha")
        server.delivering.add(alpha)
        await admin.hold(1, alpha, "x@alpha.example")
        await admin.hold(2, alpha, "x@alpha.example")
        await admin.refuse(2, alpha, "x@alpha.example", "550 no")
        with pytest.raises(AdminError) as caught:
            await bounced(admin, "1", "2")
        assert caught.value.kind is ErrorKind.CONFLICT
        assert await admin.store.queue.message(1) is not None
        assert (await bounced(admin, "2")).changed == 1
        server.delivering.clear()  # its drain, which the fake server still has, pauses
        assert (await bounced(admin, "1")).changed == 1

    run(story())


def test_of_a_message_whose_file_is_gone_the_sender_hears_all_the_same() -> None:
    async def story() -> None:
        admin = AdminWorld()
        beta = await admin.host("beta.example", "beta")
        missing = NewMessage(
            1,
            beta,
            Envelope("a@sender.example", (X,)),
            NOW,
            b"Received: x\r\n",
            ContentFile("gone", 9, 0),
        )
        await admin.store.reception.hold([missing])
        assert (await bounced(admin, "1")).told == 1  # with the headers that there are
        [report] = await reports(admin)
        assert b"Received: x" in report.content

    run(story())


def spoil(admin: AdminWorld, number: int, error: StoreError) -> None:
    """Let the store fail with this whenever it is asked for this message."""
    message = admin.store.queue.message

    async def failing(asked: int) -> HeldMessage | None:
        if asked == number:
            raise error
        return await message(asked)

    admin.store.queue.message = failing  # type: ignore[method-assign, assignment]


@pytest.mark.parametrize("other", ["beta.example", "gamma.example"])
def test_a_damaged_message_stays_and_keeps_no_other_back(other: str) -> None:
    async def story() -> None:
        admin = AdminWorld()
        beta = await admin.host("beta.example", "beta")
        there = beta if other == "beta.example" else await admin.host(other, "gamma")
        for number, domain_id in ((1, beta), (2, beta), (3, there)):
            await admin.hold(number, domain_id, X)
        spoil(admin, 2, Damaged("its content does not match its checksum"))
        damaged = [DamagedMessage(name="2", damage="its content does not match its checksum")]
        done = await bounced(admin, "1", "2", "3", "zz")
        assert done == BounceChange(changed=2, missing=["zz"], told=2, damaged=damaged)
        assert [report.about for report in await reports(admin)] == [1, 3]
        assert [one.number for one in await admin.store.queue.list_queue(QueueFilter())] == [2]
        trail = [
            entry
            for entry in await admin.store.audit.audit()
            if entry.action is AuditAction.MAIL_BOUNCED
        ]
        assert " ".join(entry.subject for entry in reversed(trail)) == "1 3"

    run(story())


def test_a_store_that_fails_for_another_reason_ends_it() -> None:
    """It concerns no single message: sound mail may not be reported as lost."""

    async def story() -> None:
        admin = AdminWorld()
        beta = await admin.host("beta.example", "beta")
        for number in (1, 2, 3):
            await admin.hold(number, beta, X)
        spoil(admin, 2, StoreError("disk I/O error"))
        with pytest.raises(StoreError, match="I/O"):
            await bounced(admin, "1", "2", "3")
        assert await reports(admin) == []
        assert len(await admin.store.queue.list_queue(QueueFilter())) == 3

    run(story())


@pytest.mark.parametrize("reason", ["", "two\nlines"])
def test_a_reason_is_wanted(reason: str) -> None:
    with pytest.raises(AdminError) as caught:
        run(bounced(AdminWorld(), "1", reason=reason))
    assert caught.value.kind is ErrorKind.USAGE
