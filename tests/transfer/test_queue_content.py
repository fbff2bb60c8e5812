"""Content exported or shown: recorded first, and whole or with the reason."""

import pytest

from restante.admin.held_mail import QueueSelection
from restante.mail.import_stream import (
    StreamLabel,
    StreamUnpacker,
)
from restante.tenancy.audit import AuditAction, AuditFilter
from restante.transfer.queue_content import ExportOrder, export_mail, read_content
from restante.transfer.transfer_error import TransferError, TransferFault
from tests.admin.admin_world import HEAD, run
from tests.transfer.streams import LARGE, bring_in, exported, hosting, packed_message


def test_matching_mail_is_exported_and_the_export_is_recorded_first() -> None:
    async def story() -> None:
        admin = await hosting()
        await bring_in(admin, packed_message(LARGE), packed_message(HEAD, "z@beta.example"))
        found = await exported(admin, selection={"domain": "alpha.example"}, reason="moving out")
        assert [(content, failure) for _, content, failure in found] == [(LARGE, "")]
        [entry] = await admin.store.audit.audit(AuditFilter(account="alpha"), limit=1)
        assert (entry.action, entry.subject, entry.reason) == (
            AuditAction.MAIL_EXPORTED,
            found[0][0],
            "moving out",
        )
        assert len(await exported(admin)) == 2
        assert [name for name, _, _ in await exported(admin, names=[found[0][0]])] == [found[0][0]]

    run(story())


def test_an_export_walks_all_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        admin = await hosting()
        monkeypatch.setattr("restante.transfer.queue_content._PAGE", 2)
        await bring_in(admin, *[packed_message(b"%d" % number) for number in range(5)])
        assert [content for _, content, _ in await exported(admin)] == [
            b"0",
            b"1",
            b"2",
            b"3",
            b"4",
        ]

    run(story())


def test_a_damaged_message_ends_with_the_reason_and_keeps_no_other_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        admin = await hosting()
        (damaged,) = (await bring_in(admin, packed_message(LARGE)))[0].held
        await bring_in(admin, packed_message())
        [file] = admin.store.state.files
        admin.store.state.files[file] = b"x" * len(LARGE)
        broken, whole = await exported(admin)
        assert broken[0] == damaged
        assert "damaged" in broken[2]
        assert whole[1:] == (HEAD, "")

    run(story())


def test_content_that_is_not_whole_is_not_begun() -> None:
    async def story() -> None:
        admin = await hosting()
        [name] = (await bring_in(admin, packed_message(LARGE)))[0].held
        [file] = admin.store.state.files
        del admin.store.state.files[file]
        with pytest.raises(TransferError, match="missing or damaged") as caught:
            await read_content(admin.context, name)
        assert caught.value.fault is TransferFault.DAMAGED

    run(story())


def test_a_label_says_all_recipients_whatever_was_asked_for() -> None:
    async def story() -> None:
        admin = await hosting()
        await bring_in(admin, packed_message(HEAD, "x@alpha.example", "y@alpha.example"))
        order = ExportOrder(selection=QueueSelection(recipient="x@*"))
        octets = b"".join([octets async for octets in await export_mail(admin.context, order)])
        label = next(StreamUnpacker().receive(octets))
        assert isinstance(label, StreamLabel)
        assert [one["forward_path"] for one in label.facts["recipients"]] == [
            "x@alpha.example",
            "y@alpha.example",
        ]

    run(story())
