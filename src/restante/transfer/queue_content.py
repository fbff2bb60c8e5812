"""The content of held messages for an operator: one shown, or many exported.

Each access is in its account's audit trail first.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict

from restante.admin.admin_context import AdminContext
from restante.admin.auditing import announce, checked_reason, entry_about_mail
from restante.admin.dsn_facts import DsnFacts, dsn_facts
from restante.admin.held_mail import (
    MAX_NAMES,
    DomainNames,
    MessageView,
    QueueSelection,
    domain_names,
    number_of,
    queue_filter,
    view,
    with_all_recipients,
)
from restante.admin.origin_facts import OriginFacts, origin_facts
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import AtMost, LineText
from restante.admin.scope import list_held, message_in_scope
from restante.mail.envelope import Envelope
from restante.mail.import_stream import WHOLE, pack_block, pack_failure, pack_label
from restante.mail.message import HeldMessage
from restante.phrases import MAY_HAVE_LEFT, NOT_QUEUED
from restante.store.queue_store import QueuedMessage, QueueFilter
from restante.store.store_errors import Damaged, StoreError
from restante.tenancy.audit import AuditAction
from restante.transfer.transfer_error import TransferError, TransferFault

_PAGE = 200  # messages listed, and recorded, at a time
_PIECES, _SMALL = (
    64,
    16384,
)  # pieces of a stream that leave together, unless one is large: each write costs some time


class ExportOrder(BaseModel):
    """The messages to export: those that match, or those named; and the reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    selection: QueueSelection = (
        QueueSelection()
    )  # its limit does not apply here: all that match are exported
    names: Annotated[tuple[LineText, ...], AtMost(MAX_NAMES)] = ()
    reason: LineText = ""


class ExportedLabel(MessageView):
    """The label of an exported message: envelope, recipients, and reports already sent."""

    is_8bit: bool
    needs_smtputf8: bool
    dsn: DsnFacts | None  # None without report requests
    is_delay_told: bool  # its sender has got a delay report
    origin: OriginFacts | None  # None where it is not known


@dataclass(frozen=True, slots=True)
class MessageContent:
    """A message's content to send out; it was found whole just before."""

    size: int
    blocks: AsyncIterator[bytes]


async def read_content(context: AdminContext, name: str, reason: str = "") -> MessageContent:
    """Return a message's content, octet for octet as it is held.

    All of it is read once before the first octet is returned, so a damaged message is never sent.
    Raises TransferError if it is missing or damaged, AdminError, StoreError.
    """
    permit(context.principal, AdminAction.CONTENT_READ)
    reason = _checked(context, reason)
    try:
        message = await message_in_scope(context, number_of(name))
        if message is None:
            raise TransferError(
                TransferFault.MISSING,
                f"message {name}: {NOT_QUEUED}",
                MAY_HAVE_LEFT,
            )
        async for _ in content_blocks(context, message):
            pass
    except Damaged as damage:
        remedy = "restore it from a backup (docs/how-to/back-up-and-restore.md)"
        raise TransferError(TransferFault.DAMAGED, f"message {name}: {damage}", remedy) from None
    await _record(context, AuditAction.CONTENT_READ, message.domain_id, [message.number], reason)
    return MessageContent(message.size, content_blocks(context, message))


async def export_mail(context: AdminContext, order: ExportOrder) -> AsyncIterator[bytes]:
    """Return the export stream, oldest message first. Raises AdminError before any output.

    A damaged message ends with the reason. One that leaves the store meanwhile is not exported.
    """
    permit(context.principal, AdminAction.CONTENT_EXPORT)
    reason = _checked(context, order.reason)
    if order.names:
        numbers = tuple(number_of(name) for name in order.names)
        pages = _pages(context, QueueFilter(numbers=numbers, limit=_PAGE), QueueSelection())
    else:
        selection = order.selection.model_copy(update={"limit": _PAGE})
        pages = _pages(context, queue_filter(context, selection), selection)
    return _packed_pages(context, pages, reason)


def _checked(context: AdminContext, reason: str) -> str:
    """Return the reason. Raises AdminError without one, except for an operator of this machine."""
    said = reason or context.reason
    return checked_reason(said) if context.principal.grants else said


async def content_blocks(context: AdminContext, message: HeldMessage) -> AsyncIterator[bytes]:
    """Yield a message's content. Raises StoreError if its file is not whole."""
    if message.head:
        yield message.head
    if message.file is not None:
        async for block in context.store.content.read_file(message.file):
            yield block


async def _pages(
    context: AdminContext, filter_: QueueFilter, selection: QueueSelection
) -> AsyncIterator[Sequence[QueuedMessage]]:
    while found := await list_held(context, filter_):
        yield await with_all_recipients(context, selection, found)
        filter_ = replace(filter_, after=found[-1].number)


async def _packed_pages(
    context: AdminContext, pages: AsyncIterator[Sequence[QueuedMessage]], reason: str
) -> AsyncIterator[bytes]:
    waiting: list[bytes] = []
    async for page in pages:
        by_domain: dict[int, list[int]] = defaultdict(list)
        for message in page:
            by_domain[message.domain_id].append(message.number)
        for domain_id, numbers in by_domain.items():
            await _record(context, AuditAction.MAIL_EXPORTED, domain_id, numbers, reason)
        names = domain_names(context)
        for message in page:
            async for octets in _packed_message(context, message, names):
                waiting.append(octets)
                if len(waiting) == _PIECES or len(octets) > _SMALL:
                    yield b"".join(waiting)
                    waiting.clear()
    yield b"".join(waiting)


async def _packed_message(
    context: AdminContext, listed: QueuedMessage, names: DomainNames
) -> AsyncIterator[bytes]:
    """Yield one message of the stream; nothing if it has left meanwhile."""
    try:
        message = await message_in_scope(context, listed.number)
    except StoreError as error:
        yield _label(names, listed, None) + pack_failure(str(error))
        return
    if message is None:
        return
    waiting = _label(names, listed, message)
    try:
        async for block in content_blocks(context, message):
            yield waiting + pack_block(block)
            waiting = b""
    except StoreError as error:
        yield waiting + pack_failure(str(error))
    else:
        yield waiting + WHOLE


def _label(names: DomainNames, listed: QueuedMessage, message: HeldMessage | None) -> bytes:
    envelope = message.envelope if message is not None else Envelope(listed.reverse_path, ())
    waiting = [
        one.forward_path for one in listed.recipients
    ]  # recipients that have it already are not named
    label = ExportedLabel(
        **dict(view(listed, names)),
        is_8bit=envelope.is_8bit,
        needs_smtputf8=envelope.needs_smtputf8,
        dsn=dsn_facts(envelope.dsn and envelope.dsn.only(waiting)),
        is_delay_told=message is not None and message.is_delay_told,
        origin=None if message is None else origin_facts(message.origin),
    )
    return pack_label(label.model_dump_json())


async def _record(
    context: AdminContext, action: AuditAction, domain_id: int, numbers: Sequence[int], reason: str
) -> None:
    """Write the entry before any content leaves: without an entry, no content is shown."""
    recorded = entry_about_mail(context, action, domain_id, numbers, reason)
    await context.store.audit.record([recorded])
    announce(context, recorded)
