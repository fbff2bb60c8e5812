"""The queue: held and refused mail, message by message. No content (queue_content.py has that)."""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import (
    PAGE,
    announce,
    checked_reason,
    entry_about_mail,
    moment,
    with_changes,
)
from restante.admin.domains import find_domain
from restante.admin.dsn_facts import DsnFacts, dsn_facts
from restante.admin.listing_page import PAGE_ROWS, ListingPage, PageLimit
from restante.admin.origin_facts import OriginFacts, origin_facts
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import (
    AddressRange,
    AtMost,
    LineText,
    Span,
    StoredNumber,
)
from restante.admin.scope import held_page, list_held, message_in_scope
from restante.mail.first_line import set_off
from restante.mail.message import HeldMessage, message_name, message_number
from restante.mail.message_id import MESSAGE_ID_LIMIT, whole_id
from restante.phrases import MAY_HAVE_LEFT, NOT_QUEUED
from restante.queue.recipient_status import RecipientStatus
from restante.retention.removal_record import removal_of
from restante.store.queue_store import QueuedMessage, QueueFilter
from restante.store.store_errors import Damaged
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.model import parse_network

MAX_NAMES = 1000  # messages one request may name
MAX_NAME_LENGTH = 12  # characters; a longer number would not fit in the store
MAX_PATTERN_LENGTH = 600  # characters, the longest path
MAX_HEADER_OCTETS = 65536

_UNFOLD = re.compile(r"[ \t]*\r?\n[ \t]+")

ChangeMessages = Callable[[Sequence[int], AuditEntry], Awaitable[int]]
DomainNames = Callable[[int], str]  # by id; "" for one that is not hosted


class QueueSelection(BaseModel):
    """The messages to list; None means any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    domain: LineText | None = None
    reverse_path: LineText | None = None  # exact; "" is the null reverse-path
    recipient: Annotated[str, Field(min_length=1, max_length=MAX_PATTERN_LENGTH)] | None = (
        None  # pattern: *, ?, […]
    )
    older: Span | None = None  # seconds since it was received
    larger: StoredNumber | None = None  # octets
    message_id: Annotated[str, Field(max_length=MESSAGE_ID_LIMIT)] | None = (
        None  # exact; with or without <>
    )
    from_address: AddressRange | None = None  # of the client: an address, or a network
    status: RecipientStatus | None = None
    after: LineText | None = None  # a message's name: for paging
    limit: Annotated[int, Field(ge=1, le=100_000)] = 1000


class QueueListing(QueueSelection):
    """A page of the messages to list."""

    limit: PageLimit = PAGE_ROWS


class SelectedNames(BaseModel):
    """One page of the messages that match: enough to count them, then to act on exactly these."""

    names: list[str]  # oldest first; `after` the last of them begins the next page
    octets: int
    domains: list[str]  # the domains of these messages
    shared: int  # how many of these also have recipients that do not match


class NamedMessages(BaseModel):
    """Messages to act on, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: Annotated[tuple[LineText, ...], Field(min_length=1), AtMost(MAX_NAMES)]
    reason: LineText = ""


class RecipientView(BaseModel):
    """One recipient of a message."""

    forward_path: str
    status: str
    reply: str  # the destination's last reply for it
    tried_at: datetime | None  # when that was; None: never tried, or not recorded
    attempts: int  # that did not deliver it


class MessageView(BaseModel):
    """A message in a listing."""

    name: str
    domain: str
    reverse_path: str
    recipients: list[RecipientView]
    received_at: datetime
    size: int  # octets
    message_id: str | None  # None: it has none, or it is not known
    is_suspect: bool  # its sender gets no reports, and it leaves last
    policy_deferrals: int  # drains in which a policy of the destination deferred it; 0: none


class HeaderView(BaseModel):
    """One header field, unfolded."""

    name: str
    value: str


class FullMessageView(MessageView):
    """A message with all its visible details."""

    is_8bit: bool | None  # None for a damaged one
    needs_smtputf8: bool | None
    dsn: DsnFacts | None  # the sender's report requests; None without any, or for a damaged message
    is_delay_told: bool | None
    origin: OriginFacts | None  # where it came from; None for mail of earlier versions
    headers: list[HeaderView]  # none for a damaged one
    damage: str = ""  # the damage of its content


class QueueChange(BaseModel):
    """The number of changed messages, and the names that were missing or needed no change."""

    changed: int
    missing: list[str]


async def list_queue(context: AdminContext, selection: QueueSelection) -> ListingPage[MessageView]:
    """Return the first messages that match, oldest first.

    Raises AdminError for a domain that is not hosted, and for an `after` that is no name.
    """
    permit(context.principal, AdminAction.QUEUE_LIST)
    page = await held_page(context, queue_filter(context, selection))
    names = domain_names(context)
    return ListingPage(
        (view(message, names) for message in page.messages),
        None if page.after is None else message_name(page.after),
        is_short=page.after is not None and len(page.messages) < selection.limit,
    )


async def name_messages(context: AdminContext, selection: QueueSelection) -> SelectedNames:
    """Return the names of the messages that match, oldest first.

    Raises AdminError as `list_queue` does. It goes on until it has found enough, question by
    question, so that others get their turns.
    """
    permit(context.principal, AdminAction.QUEUE_LIST)
    names: list[str] = []
    octets = shared = 0
    domain_ids: set[int] = set()
    async for page in queue_pages(context, queue_filter(context, selection)):
        names += [message_name(message.number) for message in page]
        octets += sum(message.size for message in page)
        domain_ids.update(message.domain_id for message in page)
        shared += await _shared(context, selection, page)
    hosted = domain_names(context)
    domains = sorted({hosted(domain_id) for domain_id in domain_ids})
    return SelectedNames(names=names, octets=octets, domains=domains, shared=shared)


async def queue_pages(
    context: AdminContext, wanted: QueueFilter
) -> AsyncIterator[Sequence[QueuedMessage]]:
    """Yield the messages that match, oldest first, in pages that block no one for long."""
    left, after = wanted.limit, wanted.after
    while left > 0:
        page = await held_page(context, replace(wanted, after=after, limit=min(left, PAGE)))
        if page.messages:
            yield page.messages
        if page.after is None:
            return
        left, after = left - len(page.messages), page.after


async def _shared(
    context: AdminContext, selection: QueueSelection, found: Sequence[QueuedMessage]
) -> int:
    whole = await with_all_recipients(context, selection, found)
    there = {message.number: len(message.recipients) for message in whole}
    return sum(there.get(message.number, 0) > len(message.recipients) for message in found)


async def with_all_recipients(
    context: AdminContext, selection: QueueSelection, found: Sequence[QueuedMessage]
) -> Sequence[QueuedMessage]:
    """Return these messages with all recipients, including those that do not match."""
    if selection.status is None and selection.recipient is None:
        return found
    numbers = tuple(message.number for message in found)
    return await list_held(context, QueueFilter(numbers=numbers, limit=len(numbers)))


def queue_filter(context: AdminContext, selection: QueueSelection) -> QueueFilter:
    """Convert a selection for the store. Raises AdminError for a domain that is not hosted."""
    domain = find_domain(context, selection.domain) if selection.domain else None
    return QueueFilter(
        domain_ids=(domain.id,) if domain else None,
        status=selection.status,
        reverse_path=selection.reverse_path,
        recipient=selection.recipient,
        received_before=None if selection.older is None else context.now() - selection.older,
        larger_than=selection.larger,
        message_id=whole_id(selection.message_id),
        client=None if selection.from_address is None else parse_network(selection.from_address),
        after=number_of(selection.after) if selection.after else 0,
        limit=selection.limit,
    )


async def show_message(context: AdminContext, name: str) -> FullMessageView:
    """Return envelope, headers and the state of each recipient.

    For a damaged message, return the facts of the listing. Raises AdminError if it does not exist.
    """
    permit(context.principal, AdminAction.QUEUE_SHOW)
    number = number_of(name)
    message, headers, damage = await _read(context, number)
    listed = await list_held(
        context, QueueFilter(numbers=(number,))
    )  # now: reading a damaged one has marked it refused
    if not listed or (message is None and not damage):
        raise AdminError(
            ErrorKind.NOT_FOUND,
            f"message {name}: {NOT_QUEUED}",
            MAY_HAVE_LEFT,
        )
    return FullMessageView(
        **dict(view(listed[0], domain_names(context))),
        is_8bit=None if message is None else message.envelope.is_8bit,
        needs_smtputf8=None if message is None else message.envelope.needs_smtputf8,
        dsn=None if message is None else dsn_facts(message.envelope.dsn),
        is_delay_told=None if message is None else message.is_delay_told,
        origin=None if message is None else origin_facts(message.origin),
        headers=headers,
        damage=damage,
    )


async def _read(
    context: AdminContext, number: int
) -> tuple[HeldMessage | None, list[HeaderView], str]:
    """Return a message, its headers, and the damage of its content, "" if there is none."""
    message = None
    try:
        message = await message_in_scope(context, number)
        return message, read_headers(await _beginning(context, message)) if message else [], ""
    except Damaged as damage:
        return message, [], str(damage)


async def delete_messages(context: AdminContext, named: NamedMessages) -> QueueChange:
    """Delete messages permanently, in any state.

    Raises AdminError without a reason or for a bad name.
    """
    permit(context.principal, AdminAction.QUEUE_DELETE)
    checked_reason(named.reason)
    return await _change(context, named, AuditAction.MAIL_DELETED, context.store.queue.delete)


async def _change(
    context: AdminContext, named: NamedMessages, action: AuditAction, change: ChangeMessages
) -> QueueChange:
    """Change each domain's messages with an audit entry of their own.

    An account's trail may not name another's mail.
    """
    numbers = {number_of(name): name for name in named.names}
    found = await list_held(context, QueueFilter(numbers=tuple(numbers), limit=len(numbers)))
    by_domain: dict[int, list[QueuedMessage]] = defaultdict(list)
    for message in found:
        by_domain[message.domain_id].append(message)
    count, there = 0, set[int]()
    for domain_id, listed in by_domain.items():
        async with context.memory.record_locks.of(f"queue/{domain_id}"):  # two may ask for the same
            wanted = tuple(message.number for message in listed)
            group = await list_held(context, QueueFilter(numbers=wanted, limit=len(wanted)))
            if not group:
                continue
            gone = [message.number for message in group]
            recorded = with_changes(
                entry_about_mail(context, action, domain_id, gone, named.reason), removal_of(group)
            )
            done = await change(gone, recorded)
            announce(context, recorded)
        count += done
        there.update(gone if done else ())
    return QueueChange(
        changed=count, missing=[name for number, name in numbers.items() if number not in there]
    )


def number_of(name: str) -> int:
    """Return the number that a name stands for. Raises AdminError."""
    try:
        if not 0 < len(name) <= MAX_NAME_LENGTH:
            raise ValueError(name)  # noqa: TRY301  the same answer as for a wrong letter
        return message_number(name)
    except ValueError:
        error = f"message {name!r}: is not the name of a message"
        raise AdminError(
            ErrorKind.INVALID, error, "`restante queue list` shows the names"
        ) from None


def domain_names(context: AdminContext) -> DomainNames:
    """Return the look-up of names at this moment: nothing is made for domains not asked for."""
    directory = context.directory.now

    def name_of(domain_id: int) -> str:
        domain = directory.domain_by_id(domain_id)
        return "" if domain is None else domain.name

    return name_of


def view(message: QueuedMessage, names: DomainNames) -> MessageView:
    """Return the view of a listed message."""
    return MessageView(
        name=message_name(message.number),
        domain=names(message.domain_id),
        reverse_path=message.reverse_path,
        recipients=[
            RecipientView(
                forward_path=one.forward_path,
                status=one.status,
                reply=one.reply,
                tried_at=None if one.tried_at is None else moment(one.tried_at),
                attempts=one.attempts,
            )
            for one in message.recipients
        ],
        received_at=moment(message.received_at),
        size=message.size,
        message_id=message.message_id or None,
        is_suspect=message.is_suspect,
        policy_deferrals=message.policy_deferrals,
    )


async def _beginning(context: AdminContext, message: HeldMessage) -> bytes:
    """Return as much of the content as its headers may take. Raises Damaged, StoreError.

    Even so, the file is read to the end. Only the whole has a checksum, and the reader of a message
    wants to know its state. The header is shown as it is handed over: no text of a stranger stands
    within our own field.
    """
    beginning = message.head[:MAX_HEADER_OCTETS]
    if message.file is not None:
        async for block in context.store.content.read_file(message.file):
            beginning += block[: MAX_HEADER_OCTETS - len(beginning)]
    head = set_off(message.head, beginning, message_name(message.number), context.network.hostname)
    return head + beginning[len(message.head) :]


def read_headers(beginning: bytes) -> list[HeaderView]:
    """Return the header fields of content, unfolded; octets that are not UTF-8 are escaped."""
    text = beginning.partition(b"\r\n\r\n")[0].decode("utf-8", "backslashreplace")
    fields = (line.partition(":") for line in _UNFOLD.sub(" ", text).split("\r\n"))
    return [
        HeaderView(name=name.rstrip(), value=value.strip())
        for name, colon, value in fields
        if colon
    ]
