"""Requests for reports, and reports already sent, go along with exported and imported mail."""

from collections.abc import Mapping
from typing import Any

from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest, Ret
from restante.mail.import_stream import StreamLabel, StreamUnpacker
from restante.mail.message import message_name, message_number
from restante.queue.recipient_status import MessageOutcome, RecipientMove, RecipientOutcome
from restante.transfer.queue_content import ExportOrder, export_mail
from tests.admin.admin_world import HEAD, NOW, AdminWorld, run
from tests.contract.making import opened
from tests.transfer.streams import bring_in, hosting, packed_message

ASKED = {
    "ret": "HDRS",
    "envid": "QQ+2B314",
    "recipients": {
        "x@alpha.example": {"notify": "SUCCESS,DELAY", "orcpt": "rfc822;Info+2Bx@alpha.example"},
        "z@beta.example": {"notify": "NEVER", "orcpt": None},
    },
}


def test_dsn_parameters_of_each_domain_are_imported_and_exported() -> None:
    async def story() -> None:
        admin = await hosting()
        both = packed_message(
            HEAD, "x@alpha.example", "y@alpha.example", "z@beta.example", dsn=ASKED, is_suspect=True
        )
        [result] = await bring_in(admin, both)
        messages = [await admin.store.queue.message(message_number(name)) for name in result.held]
        assert [message.envelope.dsn for message in messages if message] == [
            DsnRequest(
                Ret.HDRS,
                "QQ+2B314",
                {
                    "x@alpha.example": RecipientRequest(
                        Notify.SUCCESS | Notify.DELAY, "rfc822;Info+2Bx@alpha.example"
                    )
                },
            ),
            DsnRequest(Ret.HDRS, "QQ+2B314", {"z@beta.example": RecipientRequest(Notify.NEVER)}),
        ]
        assert [message.envelope.is_suspect for message in messages if message] == [True, True]
        labels = await exported_labels(admin)
        recipients: Any = ASKED["recipients"]
        assert [label["dsn"] for label in labels] == [
            ASKED | {"recipients": {path: recipients[path]}}
            for path in ("x@alpha.example", "z@beta.example")
        ]
        assert all(label["is_suspect"] for label in labels)

    run(story())


def test_that_delay_was_told_goes_along_and_is_not_told_again_elsewhere() -> None:
    async def story() -> None:
        old, new = await hosting(), await hosting()
        paths = ("x@alpha.example", "z@beta.example")
        wish = {"recipients": {path: {"notify": "DELAY"} for path in paths}}
        [told, _] = await bring_in(old, *[packed_message(HEAD, *paths, dsn=wish)] * 2)
        await old.store.reports.tell_of_delay([message_number(name) for name in told.held], [])
        assert [label["is_delay_told"] for label in await exported_labels(old)] == [
            True,
            True,
            False,
            False,
        ]
        again = [
            packed_message(HEAD, *paths, dsn=wish, is_delay_told=is_told)
            for is_told in (True, False)
        ]
        [here, late] = await bring_in(new, *again)
        found = [
            message_name(one.number) for one in await new.store.reports.late_messages(NOW + 1, 10)
        ]
        assert sorted(found) == sorted(late.held)
        labels = {label["name"]: label["is_delay_told"] for label in await exported_labels(new)}
        assert labels == dict.fromkeys(here.held, True) | dict.fromkeys(late.held, False)

    run(story())


def test_of_a_recipient_who_has_it_already_nothing_is_said() -> None:
    async def story() -> None:
        admin = await hosting()
        recipients = {path: {"notify": "NEVER"} for path in ("x@alpha.example", "y@alpha.example")}
        [result] = await bring_in(
            admin, packed_message(HEAD, *recipients, dsn={"recipients": recipients})
        )
        drain = await opened(
            admin.store, admin.context.directory.now.domains["alpha.example"].id, NOW, NOW + 60
        )
        outcome = MessageOutcome(
            message_number(result.held[0]),
            (RecipientOutcome("x@alpha.example", RecipientMove.DELIVERED),),
        )
        await admin.store.handover.settle(drain, [outcome])
        [label] = await exported_labels(admin)
        assert label["dsn"]["recipients"] == {"y@alpha.example": {"notify": "NEVER", "orcpt": None}}

    run(story())


async def exported_labels(admin: AdminWorld) -> list[Mapping[str, Any]]:
    octets = b"".join([octets async for octets in await export_mail(admin.context, ExportOrder())])
    return [
        piece.facts for piece in StreamUnpacker().receive(octets) if isinstance(piece, StreamLabel)
    ]
