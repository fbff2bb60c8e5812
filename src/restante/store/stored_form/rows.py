"""Values as rows, and back."""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, replace
from typing import Any, Final

from restante.mail.delivery_report import NewReport, Report, ReportAction
from restante.mail.dsn_request import DsnRequest, RecipientRequest, Ret, parse_notify
from restante.mail.envelope import Envelope
from restante.mail.message import ContentFile, HeldMessage, NewMessage, drain_place
from restante.mail.policy_deferrals import NO_DEFERRALS, PolicyDeferrals
from restante.mail.sealed_size import plain_head_octets, sealed_file_octets
from restante.queue.drain_word import DrainEnd, DrainWay
from restante.queue.history import HistoryEntry, recorded_way
from restante.queue.recipient_status import RecipientStatus
from restante.queue.reporting import wants_word_of_delay
from restante.store.handover_store import PastDrain
from restante.store.queue_store import QueuedMessage, QueuedRecipient, QueueFilter
from restante.store.release_store import ReleaseDrain, ReleaseRecord
from restante.store.stored_form.move_codes import MOVES
from restante.store.stored_form.origin_column import origin_text, read_origin, read_past_origin
from restante.store.stored_form.row_type import Row
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.record_change import Change
from restante.tenancy.release_result import ReleaseResult

NUMBER, DOMAIN_ID, SIZE = 0, 1, 3  # where they stand in a message's row
_FLAGS: Final = 4
_CLIENT: Final = 6  # among the facts of an entry of history

_IS_8BIT = 1
_NEEDS_SMTPUTF8 = 2
_IS_SUSPECT = 4  # queries and the index message_suspect spell it out
_WANTS_WORD_OF_DELAY = 8  # until it has been told; queries and the index message_delay spell it out
_IS_DELAY_TOLD = 16  # since then; queries spell it out
_DOUBTS_SHIFT, _DOUBTS_MASK = 5, 3  # two bits; queries spell them out
# From bit 7 on, the deferrals by a policy: a bit if there are some, then eight bits of their count.
# Above them is the mark of the last drain. Queries and the index message_deferred spell the first
# bit out.
_DEFERRALS_SHIFT, _COUNT_SHIFT, _COUNT_MASK, _MARK_SHIFT = 7, 1, 255, 9
_IS_REPORT_SEALED = 4  # of a report's flags, as the first two are; queries spell it out
_IS_SEALED = 1 << 32  # of head_crc32: head and file are (`store/sealing`); it never changes

# How last_reply.is_refused is read. Every row with a value other than 0 counts as refused; only
# UNCERTAIN is without the retention of refused mail.
IS_REFUSED, IS_UNCERTAIN, IS_DAMAGED = 1, 2, 3


PARKED_AS: Final[Mapping[RecipientStatus | None, int]] = {
    RecipientStatus.REFUSED: IS_REFUSED,
    RecipientStatus.UNCERTAIN: IS_UNCERTAIN,
    RecipientStatus.DAMAGED: IS_DAMAGED,
}
_PARKED: Final = {number: status for status, number in PARKED_AS.items() if status is not None}


class DamagedRow(Exception):  # noqa: N818  a finding, not a fault of this code
    """The row read differs from the row written."""


def message_row(message: NewMessage) -> Row:
    """Spell a message in the order of its columns."""
    envelope, file = message.envelope, message.file
    return (
        message.number,
        message.domain_id,
        message.received_at,
        message.size,
        _flags(message),
        envelope.reverse_path,
        "\n".join(envelope.forward_paths),
        file and file.name,
        file and file.crc32,
        zlib.crc32(message.head) | message.is_sealed * _IS_SEALED,
        envelope.dsn and _dsn_text(envelope.dsn),
        message.head,
        message.message_id,
        message.origin and origin_text(message.origin),
    )


def _flags(message: NewMessage) -> int:
    envelope = message.envelope
    flags = envelope.is_8bit * _IS_8BIT | envelope.needs_smtputf8 * _NEEDS_SMTPUTF8
    if envelope.is_suspect:
        flags |= _IS_SUSPECT
    if message.is_delay_told:
        flags |= _IS_DELAY_TOLD
    elif envelope.dsn is not None and wants_word_of_delay(envelope):
        flags |= _WANTS_WORD_OF_DELAY
    return flags


def _dsn_text(dsn: DsnRequest) -> str:
    recipients = {
        path: [None if one.notify is None else one.notify.text, one.original]
        for path, one in dsn.recipients.items()
    }
    return json.dumps(
        {"ret": dsn.ret, "id": dsn.envelope_id, "to": recipients}, separators=(",", ":")
    )


def _dsn(text: str) -> DsnRequest:
    asked = json.loads(text)
    recipients = {
        path: RecipientRequest(None if notify is None else parse_notify(notify), original)
        for path, (notify, original) in asked["to"].items()
    }
    return DsnRequest(Ret(asked["ret"]) if asked["ret"] else None, asked["id"], recipients)


def held_message(row: Row, refused: Sequence[str] = (), mark: int = 0) -> HeldMessage:
    """Read a message back; `refused` paths join those held. The row may end with its origin.

    `mark` is that of the drain that reads it. Raises DamagedRow where the content is not whole. The
    seal of sealed content proves more than a checksum would, and is checked by `store/sealing`.
    """
    (
        number,
        domain_id,
        received_at,
        size,
        flags,
        reverse_path,
        held_paths,
        file,
        file_crc32,
        head_crc32,
        dsn,
        head,
        message_id,
        *origin,
    ) = row
    is_sealed = isinstance(head_crc32, int) and bool(head_crc32 & _IS_SEALED)
    if not is_sealed and not is_whole(head, head_crc32):
        raise DamagedRow("its content does not match its checksum")
    deferrals = _deferrals(flags)
    return HeldMessage(
        number,
        domain_id,
        _envelope(reverse_path, (*paths(held_paths), *refused), flags, dsn),
        received_at,
        head,
        _content_file(file, file_crc32, size, head, head_crc32),
        is_delay_told=bool(flags & _IS_DELAY_TOLD),
        doubts=flags >> _DOUBTS_SHIFT & _DOUBTS_MASK,
        message_id=message_id,
        origin=read_origin(origin[0]) if origin else None,
        deferrals=deferrals,
        was_deferred=deferrals.is_before(mark),
        is_sealed=is_sealed,
    )


def _content_file(
    name: str | None, crc32: int, size: int, head: bytes, head_crc32: int
) -> ContentFile | None:
    if name is None:
        return None
    return ContentFile(name, file_octets(size, head, head_crc32), crc32)


def is_whole(head: bytes, head_crc32: object) -> bool:
    """Tell whether a head is the one that was written, from columns of its row.

    A program that does not know sealed content takes it for damaged, and never hands it over.
    """
    return isinstance(head_crc32, int) and zlib.crc32(head) == head_crc32 & ~_IS_SEALED


def file_octets(size: int, head: bytes, head_crc32: int) -> int:
    """Return the octets of a message's file as it is stored, from columns of its row."""
    if head_crc32 & _IS_SEALED:
        return sealed_file_octets(size - plain_head_octets(len(head), has_file=True))
    return size - len(head)


def _envelope(
    reverse_path: str, forward_paths: tuple[str, ...], flags: int, dsn: str | None
) -> Envelope:
    return Envelope(
        reverse_path,
        forward_paths,
        bool(flags & _IS_8BIT),
        bool(flags & _NEEDS_SMTPUTF8),
        None if dsn is None else _dsn(dsn),
        bool(flags & _IS_SUSPECT),
    )


def deferral_bits(deferrals: PolicyDeferrals) -> int:
    """Spell the deferrals by a policy, as the flags above bit 6."""
    return 1 | deferrals.drains << _COUNT_SHIFT | deferrals.mark << _MARK_SHIFT


def first_deferral(mark: int) -> int:
    """Return these bits of a message that was first deferred in the drain with this mark."""
    return deferral_bits(PolicyDeferrals(1, mark))


def _deferrals(flags: int) -> PolicyDeferrals:
    bits = flags >> _DEFERRALS_SHIFT
    return (
        PolicyDeferrals(bits >> _COUNT_SHIFT & _COUNT_MASK, bits >> _MARK_SHIFT)
        if bits
        else NO_DEFERRALS
    )


def paths(text: str) -> list[str]:
    """Read back what `message_row` joined."""
    return text.split("\n") if text else []


def row_place(row: Row, mark: int) -> int:
    """Return the place of a message in the order of the drain with a mark."""
    flags = row[_FLAGS]
    return drain_place(
        row[NUMBER],
        is_suspect=bool(flags & _IS_SUSPECT),
        was_deferred=_deferrals(flags).is_before(mark),
    )


def queued_message(row: Row, selection: QueueFilter) -> QueuedMessage:
    """Read one line of a listing, with the recipients that it is about."""
    number, domain_id, reverse_path, received_at, size, held_paths, replies, message_id, flags = row
    everybody = _recipients(held_paths, json.loads(replies))
    recipients = tuple(recipient for recipient in everybody if selection.concerns(recipient))
    return QueuedMessage(
        number,
        domain_id,
        reverse_path,
        recipients,
        received_at,
        size,
        message_id,
        bool(flags & _IS_SUSPECT),
        _deferrals(flags).drains,
    )


def _recipients(
    held_paths: str, replies: list[tuple[str, int, str, float, int]]
) -> list[QueuedRecipient]:
    last = {
        path: (reply, tried_at or None, attempts)
        for path, parked, reply, tried_at, attempts in replies
        if not parked
    }
    held = [
        QueuedRecipient(path, RecipientStatus.HELD, *last.get(path, ("", None, 0)))
        for path in paths(held_paths)
    ]
    return held + [
        QueuedRecipient(path, _PARKED[parked], reply, tried_at or None, attempts)
        for path, parked, reply, tried_at, attempts in replies
        if parked
    ]


def storable(reply: str) -> str:
    """Return a reply as text that a row can take: a stranger's octets must not stop settling.

    PostgreSQL takes no NUL.
    """
    return reply.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def numbers_text(numbers: Sequence[int]) -> str:
    """Spell numbers as the JSON array that the queries take."""
    return str(list(numbers))


def report_row(report: NewReport) -> Row:
    """Spell a report in the order of its columns, without its number."""
    return (
        report.about,
        report.domain_id,
        report.action,
        report.reverse_path,
        report.is_8bit * _IS_8BIT
        | report.needs_smtputf8 * _NEEDS_SMTPUTF8
        | report.is_sealed * _IS_REPORT_SEALED,
        report.made_at,
        report.made_at,  # the first attempt is due at once
        report.content,
    )


def waiting_report(row: Row) -> Report:
    """Read a report back."""
    number, about, domain_id, action, reverse_path, flags, made_at, failures, reply, content = row
    return Report(
        number,
        about,
        domain_id,
        ReportAction(action),
        reverse_path,
        content,
        made_at,
        bool(flags & _IS_8BIT),
        bool(flags & _NEEDS_SMTPUTF8),
        failures,
        reply,
        bool(flags & _IS_REPORT_SEALED),
    )


def past_drain_row(past: PastDrain) -> Row:
    """Spell how a drain went in the order of its columns, after the domain's id."""
    counts = (past.delivered, past.deferred, past.refused)
    return (
        past.started_at,
        past.ended_at,
        past.requested_by,
        past.end,
        past.reason,
        *counts,
        past.last_error,
        past.uncertain,
        past.taker,
    )


def read_past_drain(row: Sequence[Any]) -> PastDrain:
    """Read how a drain went from the same columns."""
    started_at, ended_at, requested_by, ending, *rest = row
    return PastDrain(started_at, ended_at, requested_by, DrainEnd(ending), *rest)


def read_release(row: Sequence[Any]) -> ReleaseRecord:
    """Read the record of a request for release."""
    number, at, actor, acted_from, target, account, domain, result, reason, pending, way = row
    return ReleaseRecord(
        id=number,
        at=at,
        actor=actor,
        acted_from=acted_from,
        target=target,
        account=account,
        domain=domain,
        result=ReleaseResult(result),
        reason=reason,
        pending=pending,
        way=DrainWay(way),
    )


def read_release_drain(row: Sequence[Any]) -> ReleaseDrain:
    """Read the drain of one domain for a release; its end is the last column, empty while open."""
    domain_id, delivered, refused, uncertain, left, ended_at, ending = row
    end = DrainEnd(ending) if ending else None
    return ReleaseDrain(domain_id, delivered, refused, uncertain, left, ended_at, end)


def read_drain_ends(endings: Iterable[str]) -> tuple[DrainEnd, ...]:
    """Return the ends of drains in one order."""
    return tuple(sorted(map(DrainEnd, endings)))


def read_history_entry(row: Sequence[Any]) -> HistoryEntry:
    """Read the outcome for a recipient; last are the way of its release, if any, and its origin."""
    number, at, outcome, *facts = row
    drain, release, recorded, origin = facts[-4:]
    facts[-2] = recorded_way(drain, release, recorded)
    facts[-1] = read_past_origin(origin, facts[_CLIENT])
    return HistoryEntry(number, at, MOVES[outcome], *facts)


def audit_row(entry: AuditEntry) -> Row:
    """Spell an audit entry in the order of its columns."""
    return (
        entry.at,
        entry.action,
        entry.actor,
        entry.subject,
        entry.account,
        entry.acted_from,
        entry.answer,
        entry.reason,
        entry.domain,
        json.dumps([astuple(change) for change in entry.changes], ensure_ascii=False)
        if entry.changes
        else "",
        entry.result or "",
    )


def audit_entry(row: Row) -> AuditEntry:
    """Read an audit entry back."""
    at, action, *texts, changes, result = row
    return replace(
        AuditEntry(at, AuditAction(action), *texts),
        changes=tuple(Change(*change) for change in json.loads(changes)) if changes else (),
        result=ReleaseResult(result) if result else None,
    )
