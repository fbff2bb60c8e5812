import asyncio
import zlib
from copy import copy
from typing import NoReturn

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.held_mail import (
    NamedMessages,
    QueueSelection,
    delete_messages,
    list_queue,
    read_headers,
    show_message,
)
from restante.admin.origin_facts import OriginFacts
from restante.mail.envelope import Envelope
from restante.mail.message import ContentFile, NewMessage, message_name
from restante.mail.message_origin import MessageOrigin
from restante.mail.received_field import date_time
from restante.queue.recipient_status import RecipientStatus
from restante.tenancy.audit import AuditFilter
from restante.tenancy.model import HostedDomain
from tests.admin.admin_world import HEAD, NOW, AdminWorld, all_of, run
from tests.web.portal.visitors import user_of


async def filled() -> AdminWorld:
    """Two domains of two accounts: messages 1 and 2 for alpha, 3 for beta; 2 is refused."""
    admin = AdminWorld()
    alpha, beta = (
        await admin.host("alpha.example", "alpha"),
        await admin.host("beta.example", "beta"),
    )
    await admin.hold(1, alpha, "x@alpha.example", "y@alpha.example")
    await admin.hold(2, alpha, "x@alpha.example", reverse_path="")
    await admin.hold(3, beta, "z@beta.example")
    await admin.refuse(2, alpha, "x@alpha.example", "550 5.1.1 no such user")
    return admin


async def names(admin: AdminWorld, **selection: object) -> list[str]:
    return [
        view.name
        for view in await all_of(
            list_queue(admin.context, QueueSelection.model_validate(selection))
        )
    ]


def test_the_queue_is_listed_by_what_is_asked() -> None:
    async def story() -> None:
        admin = await filled()
        assert await names(admin) == ["1", "2", "3"]
        assert await names(admin, domain="Alpha.example") == ["1", "2"]
        assert await names(admin, reverse_path="") == ["2"]
        assert await names(admin, status=RecipientStatus.REFUSED) == ["2"]
        assert await names(admin, older=3599) == ["1", "2", "3"]
        assert await names(admin, older=3601) == []
        assert await names(admin, larger=10_000) == []
        assert await names(admin, after="2") == ["3"]
        assert await names(admin, limit=1) == ["1"]

    run(story())


class UnwalkedDomains(dict[str, HostedDomain]):
    """Domains that can be looked up, and not walked over: there may be ten thousand."""

    def __iter__(self) -> NoReturn:
        raise AssertionError("walked over all domains")

    values = items = keys = __iter__


def test_a_page_costs_no_walk_over_all_domains() -> None:
    async def story() -> None:
        admin = await filled()
        directory = admin.context.directory
        directory.now.make_indexes()  # once for each change of a record
        indexed = copy(directory.now)
        object.__setattr__(indexed, "domains", UnwalkedDomains(indexed.domains))
        directory.now = indexed
        assert await names(admin) == ["1", "2", "3"]
        admin.context = admin.context.acting(user_of("alpha"))
        assert await names(admin) == ["1", "2"]

    run(story())


def test_a_listing_for_a_domain_that_is_not_hosted_is_an_error() -> None:
    with pytest.raises(AdminError) as caught:
        run(names(AdminWorld(), domain="gamma.example"))
    assert caught.value.kind is ErrorKind.NOT_FOUND


def test_a_message_is_shown_with_headers_states_and_replies_but_no_content() -> None:
    async def story() -> None:
        admin = await filled()
        view = await show_message(admin.context, "2")
        assert view.domain == "alpha.example"
        assert [(one.status, one.reply) for one in view.recipients] == [
            ("refused", "550 5.1.1 no such user")
        ]
        assert [(header.name, header.value) for header in view.headers] == [
            ("Received", "from a by b; now"),
            ("Subject", "=?utf-8?q?x?="),
        ]
        assert "business" not in view.model_dump_json()

    run(story())


def test_a_first_line_does_not_join_our_field_in_what_is_shown() -> None:
    async def story() -> None:
        admin = AdminWorld()
        number = await admin.host("alpha.example", "alpha")
        field = (
            "Received: from c.example ([192.0.2.1])\r\n\tby mx2 with ESMTP id 7;\r\n"
            f"\t{date_time(0)}\r\n"
        )
        head = f"{field} by forged.example\r\nSubject: x\r\n\r\n".encode()
        envelope = Envelope("", ("x@alpha.example",))
        await admin.store.reception.hold([NewMessage(7, number, envelope, NOW, head)])
        [shown] = (await show_message(admin.context, message_name(7))).headers
        assert shown.name == "Received"
        assert "forged" not in shown.value

    run(story())


def test_it_is_shown_where_a_message_came_from() -> None:
    async def story() -> None:
        admin = AdminWorld()
        number = await admin.host("alpha.example", "alpha")
        origin = MessageOrigin("192.0.2.9", 4711, "mx.b.example", "TLSv1.3 X", "", {"filter": "x"})
        message = NewMessage(
            7,
            number,
            Envelope("", ("x@alpha.example",)),
            NOW,
            HEAD,
            origin=origin,
            message_id="<1@b>",
        )
        await admin.store.reception.hold([message])
        view = await show_message(admin.context, message_name(7))
        assert view.message_id == "<1@b>"
        assert view.origin == OriginFacts(
            address="192.0.2.9",
            port=4711,
            hello="mx.b.example",
            tls="TLSv1.3 X",
            verdicts={"filter": "x"},
        )

    run(story())


def test_the_headers_of_a_large_message_come_from_its_file() -> None:
    async def story() -> None:
        admin = AdminWorld()
        number = await admin.host("alpha.example", "alpha")
        spool = admin.store.reception.open_spool()
        content = b"Subject: large\r\n\r\nsecret" + bytes(70_000)
        await spool.write(content)
        file = await spool.close()
        assert file == ContentFile(file.name, len(content), zlib.crc32(content))
        envelope = Envelope("", ("x@alpha.example",))
        await admin.store.reception.hold(
            [NewMessage(7, number, envelope, NOW, b"Received: from a\r\n", file)]
        )
        view = await show_message(admin.context, message_name(7))
        assert [header.name for header in view.headers] == ["Received", "Subject"]
        assert "secret" not in view.model_dump_json()

    run(story())


@pytest.mark.parametrize(
    "head", [b"Subject: all of it in the row\r\n\r\n", b"Subject: the beginning of it\r\n"]
)
def test_damage_at_the_far_end_of_a_large_message_is_told_to_who_looks_at_its_headers(
    head: bytes,
) -> None:
    async def story() -> None:
        admin = AdminWorld()
        number = await admin.host("alpha.example", "alpha")
        spool = admin.store.reception.open_spool()
        await spool.write(b"X-More: yes\r\n\r\n" + bytes(3_000_000))
        file = await spool.close()
        await admin.store.reception.hold(
            [NewMessage(7, number, Envelope("", ("x@alpha.example",)), NOW, head, file)]
        )
        assert (await show_message(admin.context, message_name(7))).damage == ""
        admin.store.state.files[file.name] = admin.store.state.files[file.name][:-1] + b"!"
        view = await show_message(admin.context, message_name(7))
        assert "damaged" in view.damage
        assert view.headers == []

    run(story())


@pytest.mark.parametrize("name", ["", "!", "il", "1" * 13])
def test_an_invalid_message_name_is_refused(name: str) -> None:
    with pytest.raises(AdminError) as caught:
        run(show_message(AdminWorld().context, name))
    assert caught.value.kind is ErrorKind.INVALID


def test_deleted_mail_is_in_the_trail_of_its_own_account_only() -> None:
    async def story() -> None:
        admin = await filled()
        done = await delete_messages(
            admin.context, NamedMessages(names=("1", "3", "9"), reason="spam")
        )
        assert (done.changed, done.missing) == (2, ["9"])
        assert await names(admin) == ["2"]
        entry = (await admin.store.audit.audit(AuditFilter(account="alpha"), limit=1))[0]
        assert (entry.action, entry.subject, entry.reason) == ("mail-deleted", "1", "spam")
        assert [(one.field, one.after) for one in entry.changes] == [
            ("status", "none"),
            ("reverse_path", "none"),
            ("recipients", "none"),
        ]
        assert entry.changes[0].before == "held"
        assert entry.changes[2].before.endswith("@alpha.example")
        assert [
            entry.subject
            for entry in await admin.store.audit.audit(AuditFilter(account="beta"), limit=1)
        ] == ["3"]

    run(story())


def test_of_two_parallel_deletions_one_names_the_message_as_missing() -> None:
    async def story() -> None:
        admin = await filled()
        asked = NamedMessages(names=("1",), reason="spam")
        done = await asyncio.gather(*(delete_messages(admin.context, asked) for _ in range(2)))
        assert sorted((one.changed, one.missing) for one in done) == [(0, ["1"]), (1, [])]
        assert len(await admin.store.audit.audit(AuditFilter(action="mail-deleted"))) == 1

    run(story())


def test_deleting_takes_a_reason() -> None:
    async def story() -> None:
        admin = await filled()
        with pytest.raises(AdminError):
            await delete_messages(admin.context, NamedMessages(names=("1",), reason=""))
        assert await names(admin) == ["1", "2", "3"]

    run(story())


def test_headers_that_are_no_text_are_shown_as_octets() -> None:
    headers = read_headers(b"Subject: \xff\x1b[2J\r\nno field\r\nX: y\r\n\r\nX-Body: z\r\n")
    assert [(header.name, header.value) for header in headers] == [
        ("Subject", "\\xff\x1b[2J"),
        ("X", "y"),
    ]
