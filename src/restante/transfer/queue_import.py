"""Mail imported by hand: from another server's queue, or from an export.

It takes the way of all mail: through the one intake, durable when the result says held, and
counted. It gets no Received field of ours, because those it has are its true history. A message is
split by hosted domain, as over SMTP. Recipients of other domains are passed over, and named.

After an interruption, a repeated import names held messages that may be the same (`perhaps`). They
are the same if reverse-path and content are equal and all waiting recipients are among the
forward-paths. Messages delivered meanwhile are unknown, and are imported again.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, ConfigDict

from restante.admin.admin_context import AdminContext, ProcessParts
from restante.admin.auditing import announce, entry
from restante.admin.domains import find_domain
from restante.admin.held_mail import MAX_NAMES, number_of
from restante.admin.origin_facts import message_origin
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import AtMost, LineText
from restante.admin.scope import message_in_scope
from restante.mail.address import canonical_domain, is_address_literal, split_mailbox
from restante.mail.envelope import Envelope
from restante.mail.message import ContentFile, HeldMessage
from restante.reception.admission import object_to_quota
from restante.reception.domain_facts import FactsLookup
from restante.reception.intake import IntakeReceipt, ReceivedMail
from restante.reception.quota_reservations import QuotaReservation
from restante.smtp.grammar import parse_path
from restante.smtp.protocol_errors import CommandRefused
from restante.smtp.replies import BAD_FORWARD_PATH, BAD_REVERSE_PATH
from restante.store.store_errors import Damaged
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import HostedDomain
from restante.transfer.import_arrival import ArrivedMessage, ImportArrival, ImportLabel
from restante.transfer.queue_content import content_blocks


class ImportResult(BaseModel):
    """The result for one message, in the order of the stream."""

    held: list[str]  # its names here, one for each hosted domain
    already: list[str]  # held messages that are the same; it was not held again for their domains
    passed_over: list[str]  # forward-paths of no hosted domain, or malformed ones
    error: str = ""  # why it could not be held, or not for all of its domains


class DigestOrder(BaseModel):
    """Held messages that may be the same as messages about to be imported."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: Annotated[tuple[LineText, ...], AtMost(MAX_NAMES)]


@dataclass(slots=True)
class _DomainPart:
    """A message's part for one hosted domain."""

    result: ImportResult
    domain: HostedDomain
    mail: ReceivedMail
    reservation: QuotaReservation
    name: str = ""  # once it is held


async def import_mail(
    context: AdminContext, stream: AsyncIterator[bytes], reason: str = ""
) -> list[ImportResult]:
    """Hold the messages of a stream, all or none, and return a result for each.

    Raises TransferError for a malformed stream, AdminError for a domain that is not hosted, and
    StoreError; nothing is held then.
    """
    permit(context.principal, AdminAction.CONTENT_IMPORT)
    arrival = ImportArrival(context.store.reception)
    batch = _Batch(context)
    try:
        async for octets in stream:
            await arrival.receive(octets)
        arrival.close()
        results = [await batch.add(arrived) for arrived in arrival.messages]
        await _hold(context.parts, batch.parts)
    except BaseException:
        arrival.discard(even_used=True)
        raise
    finally:
        batch.end()
    arrival.discard(even_used=False)
    await _record(context, batch.parts, reason)
    return results


async def digest_content(context: AdminContext, order: DigestOrder) -> dict[str, str]:
    """Return the SHA-256 of messages' contents in hexadecimal, by name.

    Removed or damaged messages are left out. A digest shows only a holder of the same message that
    it is here. So it is no access to content, and needs no audit entry.
    """
    permit(context.principal, AdminAction.CONTENT_IMPORT)
    digests = {}
    for name in order.names:
        with suppress(Damaged):
            message = await message_in_scope(context, number_of(name))
            if message is not None:
                digests[name] = (await _digest(context, message)).hex()
    return digests


def _is_path(text: str, *, may_be_null: bool = False) -> bool:
    """Return whether a path may be in an envelope, by the grammar of MAIL and RCPT."""
    label, complaint = ("FROM:", BAD_REVERSE_PATH) if may_be_null else ("TO:", BAD_FORWARD_PATH)
    try:
        mailbox, parameters = parse_path(f"{label}<{text}>", label, complaint)
    except CommandRefused:
        return False
    return not parameters and (may_be_null if mailbox is None else str(mailbox) == text)


@dataclass(slots=True)
class _Batch:
    """The messages to hold together."""

    context: AdminContext
    parts: list[_DomainPart] = field(default_factory=list)
    _taken: set[str] = field(
        default_factory=set
    )  # each held message matches at most one imported message

    async def add(self, arrived: ArrivedMessage) -> ImportResult:
        """Add the parts of a message to hold; `result.held` is filled in once they are held."""
        by_domain, passed_over = _sorted_by_domain(self.context, arrived.label)
        result = ImportResult(held=[], already=[], passed_over=passed_over)
        if not _is_path(arrived.label.reverse_path, may_be_null=True):
            result.error = (
                f"the reverse-path {arrived.label.reverse_path!r} does not conform to RFC 5321"
            )
            return result
        for domain, paths in by_domain.items():
            same = await _same(self.context, arrived, domain, paths, self._taken)
            if same:
                self._taken.add(same)
                result.already.append(same)
            elif objection := _object(self.context, arrived, domain):
                result.error = f"{result.error}; {objection}".removeprefix("; ")
            else:
                await self._add_part(arrived, domain, paths, result)
        return result

    async def _add_part(
        self,
        arrived: ArrivedMessage,
        domain: HostedDomain,
        paths: Sequence[str],
        result: ImportResult,
    ) -> None:
        file = await _file(self.context, arrived)
        reservation = self.context.parts.reservations.make([domain], arrived.size)
        self.parts.append(
            _DomainPart(
                result, domain, _mail(self.context, arrived, domain, paths, file), reservation
            )
        )

    def end(self) -> None:
        """End the reservations: the mail is held and counted, or forgotten."""
        for part in self.parts:
            part.reservation.end()


def _object(context: AdminContext, arrived: ArrivedMessage, domain: HostedDomain) -> str:
    """Return the quota's objection, "" if none. An operator can raise the quota and retry."""
    facts = FactsLookup(
        context.store.figures,
        context.directory,
        context.now,
        reservations=context.parts.reservations,
    ).of_domain(domain)
    objection = object_to_quota(domain, facts, arrived.size)
    return (
        f"{objection.reason}; `restante domain set` or `account set` raises it" if objection else ""
    )


async def _file(context: AdminContext, arrived: ArrivedMessage) -> ContentFile | None:
    """Return the content's file for one more message: each owns its own."""
    if arrived.file is None or not arrived.is_used:
        arrived.is_used = True
        return arrived.file
    return await context.store.reception.duplicate(arrived.file)


def _sorted_by_domain(
    context: AdminContext, label: ImportLabel
) -> tuple[dict[HostedDomain, list[str]], list[str]]:
    by_domain: dict[HostedDomain, list[str]] = {}
    passed_over = []
    only = None if label.only_domain is None else find_domain(context, label.only_domain)
    for path in dict.fromkeys(label.forward_paths):
        domain = _hosted(context, path)
        if domain is None or only not in (None, domain):
            passed_over.append(path)
        else:
            by_domain.setdefault(domain, []).append(path)
    return by_domain, passed_over


def _hosted(context: AdminContext, path: str) -> HostedDomain | None:
    name = split_mailbox(path).domain
    if not _is_path(path) or is_address_literal(name):
        return None
    try:
        found = context.directory.now.domains.get(canonical_domain(name))
    except ValueError:
        return None
    if found is None or not context.principal.sees_domain(found.account, found.name):
        return None
    return found


async def _same(
    context: AdminContext,
    arrived: ArrivedMessage,
    domain: HostedDomain,
    paths: Iterable[str],
    taken: set[str],
) -> str | None:
    """Return the held message that is the same as this one, if there is one."""
    for name in arrived.label.perhaps:
        if name not in taken and await _is_same(context, arrived, domain, set(paths), name):
            return name
    return None


async def _is_same(
    context: AdminContext, arrived: ArrivedMessage, domain: HostedDomain, paths: set[str], name: str
) -> bool:
    try:
        message = await message_in_scope(context, number_of(name))
        if message is None or message.domain_id != domain.id:
            return False
        envelope = message.envelope
        if envelope.reverse_path != arrived.label.reverse_path or not paths.issuperset(
            envelope.forward_paths
        ):
            return False
        return await _digest(context, message) == arrived.digest
    except Damaged:
        return False  # the import may replace the damaged message


async def _digest(context: AdminContext, message: HeldMessage) -> bytes:
    digest = hashlib.sha256()
    async for block in content_blocks(context, message):
        digest.update(block)
    return digest.digest()


def _mail(
    context: AdminContext,
    arrived: ArrivedMessage,
    domain: HostedDomain,
    paths: Sequence[str],
    file: ContentFile | None,
) -> ReceivedMail:
    label = arrived.label
    now = context.now()
    envelope = Envelope(
        label.reverse_path,
        tuple(paths),
        label.is_8bit,
        label.needs_smtputf8,
        arrived.dsn and arrived.dsn.only(paths),
        label.is_suspect,
    )
    return ReceivedMail(
        origin=None,
        envelope=envelope,
        domain_ids=[domain.id] * len(paths),
        content=arrived.content,
        file=file,
        on_held=_unheard,
        received_at=min(now, label.received_at.timestamp()) if label.received_at else now,
        is_delay_told=label.is_delay_told,
        message_id=arrived.message_id,
        imported_origin=message_origin(label.origin),
    )


def _unheard(_receipt: IntakeReceipt) -> None:
    """Do nothing: `hold_all` returns the receipts."""


async def _hold(process: ProcessParts, parts: Sequence[_DomainPart]) -> None:
    receipts = await process.hold([part.mail for part in parts])
    for receipt in receipts:
        if receipt.failure is not None:
            raise receipt.failure
    for part, receipt in zip(parts, receipts, strict=True):
        part.name = receipt.name
        part.result.held.append(receipt.name)


async def _record(context: AdminContext, parts: Sequence[_DomainPart], reason: str) -> None:
    """Write the entries, one per domain, after the mail is held.

    A crash in between leaves mail without an entry.
    """
    names: dict[HostedDomain, list[str]] = {}
    for part in parts:
        names.setdefault(part.domain, []).append(part.name)
    for domain, group in names.items():
        recorded = entry(
            context,
            AuditAction.MAIL_IMPORTED,
            " ".join(group),
            domain.account,
            reason,
            domain=domain.name,
        )
        await context.store.audit.record([recorded])
        announce(context, recorded)
