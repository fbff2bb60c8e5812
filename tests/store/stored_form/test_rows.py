"""Values as rows and back: nothing is lost on the way, and damage of content is noticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest, Ret
from restante.mail.envelope import Envelope
from restante.mail.message import HeldMessage, NewMessage
from restante.mail.message_origin import MessageOrigin
from restante.queue.recipient_status import RecipientStatus
from restante.store.queue_store import QueuedRecipient, QueueFilter
from restante.store.stored_form import rows
from restante.store.stored_form.rows import DamagedRow
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.record_change import Change
from restante.tenancy.release_result import ReleaseResult
from tests.contract.making import ANNA, BERT, CONTENT, content_file, message

DSN = DsnRequest(Ret.HDRS, "id+2B1", {ANNA: RecipientRequest(Notify.DELAY, "rfc822;a@b")})
ORIGIN = MessageOrigin("192.0.2.1", 4711, "mx.example.org", "TLSv1.3")


def as_held(new: NewMessage) -> HeldMessage:
    """The message that a new one becomes."""
    return HeldMessage(
        new.number,
        new.domain_id,
        new.envelope,
        new.received_at,
        new.head,
        new.file,
        new.is_delay_told,
        message_id=new.message_id,
        origin=new.origin,
    )


@pytest.mark.parametrize(
    "new",
    [
        message(7, 1),
        message(7, 1, reverse_path="", head=b""),
        message(7, 1, ANNA, BERT, file=content_file("0/a", b"content")),
        message(7, 1)._replace(message_id="<1@example.org>", origin=ORIGIN, is_delay_told=True),
        message(7, 1)._replace(envelope=Envelope("b@example.org", (ANNA,), dsn=DSN)),
        message(7, 1)._replace(
            envelope=Envelope(
                "b@example.org", (ANNA,), is_8bit=True, needs_smtputf8=True, is_suspect=True
            ),
        ),
    ],
)
def test_a_message_comes_back_as_it_was(new: NewMessage) -> None:
    assert rows.held_message(rows.message_row(new)) == as_held(new)


PATHS = st.sampled_from([ANNA, BERT, "jürgen@alpha.example", '"a b"@alpha.example'])


@given(
    to=st.lists(PATHS, min_size=1, unique=True).map(tuple),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    head=st.binary(max_size=200),
)
def test_any_message_comes_back(
    to: tuple[str, ...], flags: tuple[bool, bool, bool], head: bytes
) -> None:
    is_8bit, needs_smtputf8, is_suspect = flags
    envelope = Envelope(
        "b@example.org", to, is_8bit=is_8bit, needs_smtputf8=needs_smtputf8, is_suspect=is_suspect
    )
    new = message(7, 1, head=head)._replace(envelope=envelope)
    assert rows.held_message(rows.message_row(new)) == as_held(new)


def test_refused_recipients_join_those_who_wait() -> None:
    held = rows.held_message(rows.message_row(message(7, 1, ANNA)), [BERT])
    assert held.envelope.forward_paths == (ANNA, BERT)


@given(place=st.integers(0, len(CONTENT) - 1), other=st.integers(1, 255))
def test_content_that_differs_in_one_octet_is_damage(place: int, other: int) -> None:
    row = list(rows.message_row(message(7, 1)))
    octets = bytearray(CONTENT)
    octets[place] ^= other
    row[row.index(CONTENT)] = bytes(octets)
    with pytest.raises(DamagedRow, match="checksum"):
        rows.held_message(tuple(row))


@pytest.mark.parametrize("doubts", [0, 1, 2, 3])
def test_the_number_of_doubts_stands_beside_the_other_flags(doubts: int) -> None:
    row = list(rows.message_row(message(7, 1)._replace(is_delay_told=True)))
    row[4] |= doubts << 5
    held = rows.held_message(tuple(row))
    assert (held.doubts, held.is_delay_told, held.envelope.is_8bit) == (doubts, True, False)


@pytest.mark.parametrize(
    ("selection", "listed"),
    [
        (
            QueueFilter(),
            [
                QueuedRecipient(ANNA, RecipientStatus.HELD, "450 later", 9.5, 3),
                QueuedRecipient("new@a", RecipientStatus.HELD, ""),
                QueuedRecipient(BERT, RecipientStatus.REFUSED, "550 no"),
            ],
        ),
        (
            QueueFilter(status=RecipientStatus.REFUSED),
            [QueuedRecipient(BERT, RecipientStatus.REFUSED, "550 no")],
        ),
        (QueueFilter(recipient="new@*"), [QueuedRecipient("new@a", RecipientStatus.HELD, "")]),
    ],
)
def test_a_line_of_a_listing_has_the_recipients_that_it_is_about(
    selection: QueueFilter, listed: list[QueuedRecipient]
) -> None:
    replies = f'[["{ANNA}", 0, "450 later", 9.5, 3], ["{BERT}", 1, "550 no", 0, 0]]'
    row = (7, 1, "b@example.org", 5.0, 100, f"{ANNA}\nnew@a", replies, "<1@example.org>", 0)
    assert list(rows.queued_message(row, selection).recipients) == listed


@given(text=st.text(st.characters(codec=None)))
def test_any_reply_can_be_stored(text: str) -> None:
    assert rows.storable(text).encode().decode() == rows.storable(text)


@pytest.mark.parametrize("changes", [(), (Change("note", "", "a → b"), Change("x", "1", "2"))])
def test_an_entry_of_the_trail_comes_back_as_it_was(changes: tuple[Change, ...]) -> None:
    entry = AuditEntry(
        1.5, AuditAction.DOMAIN_CHANGED, "operator", "alpha.example", "alpha", changes=changes
    )
    assert rows.audit_entry(rows.audit_row(entry)) == entry


@pytest.mark.parametrize("result", [None, *ReleaseResult])
def test_an_entry_of_the_trail_keeps_its_result(result: ReleaseResult | None) -> None:
    entry = AuditEntry(1.5, AuditAction.RELEASE_REQUESTED, "login p", "a.example", result=result)
    assert rows.audit_entry(rows.audit_row(entry)) == entry
