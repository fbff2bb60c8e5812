"""The answer to "was it delivered?": held mail and history, with the audit entries about it."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import AuditView, list_audit, moment
from restante.admin.domains import find_domain
from restante.admin.held_mail import (
    MAX_PATTERN_LENGTH,
    DomainNames,
    MessageView,
    domain_names,
    number_of,
    view,
)
from restante.admin.origin_facts import OriginFacts, origin_facts
from restante.admin.permissions import AdminAction, may, permit
from restante.admin.releases import PastReleaseView, ended_view
from restante.admin.request_bounds import StoredNumber, UnixTime, check_span
from restante.admin.scope import held_page, history_page, list_past_releases
from restante.mail.message import message_name
from restante.mail.message_id import MESSAGE_ID_LIMIT, whole_id
from restante.queue.drain_word import DrainWay
from restante.queue.history import HistoryEntry, HistoryFilter, HistoryPage
from restante.queue.recipient_status import RecipientMove
from restante.store.queue_store import QueueFilter, QueuePage
from restante.store.release_store import ReleaseFilter
from restante.tenancy.audit import AuditFilter

MOST_OUTCOMES = 1000  # of one message: as many as it can have recipients
MOST_NAMES = 20  # messages whose audit entries are looked for
SearchedOutcome = Literal["delivered", "refused", "uncertain", "bounced", "deleted", "expired"]
PatternText = Annotated[str, Field(max_length=MAX_PATTERN_LENGTH)]


class SearchedMail(BaseModel):
    """The mail to look for; None means any. Patterns know *, ? and […]."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str | None = None  # of a message
    message_id: Annotated[str, Field(max_length=MESSAGE_ID_LIMIT)] | None = (
        None  # <> may be left out
    )
    reverse_path: PatternText | None = None  # pattern; "" is the null reverse-path
    recipient: PatternText | None = None  # pattern
    domain: str | None = None
    outcome: SearchedOutcome | None = None
    since: UnixTime | None = None  # Unix time: left since
    until: UnixTime | None = None  # Unix time


class TraceSelection(SearchedMail):
    """The mail to trace. Without an outcome, mail that is still here counts, since its receipt."""

    before: StoredNumber | None = (
        None  # the id of an entry: for paging in the mail that left, and no other
    )
    after: str | None = None  # the name of a message: for paging in the mail held, and no other
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class HistoryView(BaseModel):
    """The outcome for one recipient."""

    id: int  # grows from entry to entry
    at: datetime
    outcome: str
    name: str  # of the message
    domain: str
    received_at: datetime
    octets: int
    reverse_path: str
    forward_path: str
    client: str  # the address that the message came from, "" where it is not known
    message_id: str
    reply: str  # the destination's, or the last one before the message was removed
    drain: int  # the number of the drain that moved it, 0 if none did
    release: str  # the id of the request that this drain was begun for; "" if there is none
    way: DrainWay | None  # of that drain; null without one, or if its request is forgotten
    origin: OriginFacts | None  # where it came from; null for entries of earlier versions


class TraceView(BaseModel):
    """The mail found, newest first in `left`.

    A search that takes long ends early: with few results, or with none. `held_after` and
    `left_before` tell where to go on.
    """

    held: list[MessageView]  # still here, whatever its state
    left: list[HistoryView]
    releases: list[PastReleaseView]  # that moved this mail, if these are few; newest first
    audit: list[AuditView]  # entries that name one of these messages, if these are few
    held_after: str | None  # `after` for more of `held`; None: there are no more
    left_before: int | None  # `before` for more of `left`; None: there are no more


class FoundMail(NamedTuple):
    """The parts of a TraceView. Views are made when they are read: there may be thousands."""

    held: Iterable[MessageView]
    left: Iterable[HistoryView]
    releases: Sequence[PastReleaseView]
    audit: Sequence[AuditView]
    held_after: str | None
    left_before: int | None


async def trace(context: AdminContext, selection: TraceSelection) -> FoundMail:
    """Find mail that is held or has left. Raises AdminError for a bad name or domain."""
    permit(context.principal, AdminAction.TRACE)
    check_span(selection.since, selection.until)
    domain = find_domain(context, selection.domain) if selection.domain else None
    domain_ids = (domain.id,) if domain else None
    number = number_of(selection.name) if selection.name else None
    here, gone = await asyncio.gather(
        _held(context, selection, domain_ids, number), _left(context, selection, domain_ids, number)
    )
    held, left = here.messages, gone.entries
    shows_releases = may(context.principal, AdminAction.RELEASE_LIST)
    releases = await _releases(context, left, number) if shows_releases else []
    names = domain_names(context)
    shows_trail = may(context.principal, AdminAction.AUDIT_LIST)
    found = {one.number: names(one.domain_id) or None for one in left}
    found |= {one.number: names(one.domain_id) or None for one in held}
    if number is not None:  # its entries remain when it is found nowhere else
        found.setdefault(number, selection.domain)
    return FoundMail(
        (view(message, names) for message in held),
        (history_view(entry, names) for entry in left),
        releases,
        await _audit(context, found) if len(found) <= MOST_NAMES and shows_trail else [],
        None if here.after is None else message_name(here.after),
        gone.before,
    )


class MailView(BaseModel):
    """All that is known of one message: its place, its outcome, and the actions of people on it."""

    name: str
    held: MessageView | None  # null: it is not here any more
    left: list[HistoryView]  # the outcome for each recipient that left, newest first
    releases: list[PastReleaseView]  # that moved it, newest first
    audit: list[AuditView]  # entries that name it, oldest first


async def show_mail(context: AdminContext, name: str) -> MailView:
    """Return a message that is held, or has left. Raises AdminError if nothing is known of it."""
    permit(context.principal, AdminAction.TRACE)
    found = await trace(context, TraceSelection(name=name, limit=MOST_OUTCOMES))
    held, left = list(found.held), list(found.left)
    if not held and not left and not found.audit:
        error = f"message {name}: is not held, and has no history"
        raise AdminError(ErrorKind.NOT_FOUND, error, "`restante trace` searches for mail")
    return MailView(
        name=message_name(number_of(name)),
        held=held[0] if held else None,
        left=left,
        releases=list(found.releases),
        audit=list(found.audit),
    )


def history_filter(
    wanted: SearchedMail,
    domain_ids: tuple[int, ...] | None,
    number: int | None,
    *,
    before: int | None,
    limit: int,
) -> HistoryFilter:
    """Return a search as the store takes it: entries before one, and so many of them."""
    return HistoryFilter(
        domain_ids=domain_ids,
        number=number,
        message_id=whole_id(wanted.message_id),
        reverse_path=wanted.reverse_path,
        recipient=wanted.recipient,
        outcome=RecipientMove(wanted.outcome) if wanted.outcome else None,
        since=wanted.since,
        until=wanted.until,
        before=before,
        limit=limit,
    )


async def _held(
    context: AdminContext,
    selection: TraceSelection,
    domain_ids: tuple[int, ...] | None,
    number: int | None,
) -> QueuePage:
    if selection.outcome is not None or selection.before is not None:
        return QueuePage([], None)
    return await held_page(
        context,
        QueueFilter(
            domain_ids=domain_ids,
            sender=selection.reverse_path,
            recipient=selection.recipient or None,
            received_since=selection.since,
            received_before=selection.until,
            message_id=whole_id(selection.message_id),
            numbers=None if number is None else (number,),
            after=0 if selection.after is None else number_of(selection.after),
            limit=selection.limit,
        ),
    )


async def _left(
    context: AdminContext,
    selection: TraceSelection,
    domain_ids: tuple[int, ...] | None,
    number: int | None,
) -> HistoryPage:
    if selection.after is not None:
        return HistoryPage([], None)
    return await history_page(
        context,
        history_filter(
            selection, domain_ids, number, before=selection.before, limit=selection.limit
        ),
    )


async def _releases(
    context: AdminContext, left: Sequence[HistoryEntry], number: int | None
) -> list[PastReleaseView]:
    """Return the releases that moved this mail, if they are few; `number` may be one itself."""
    ids = {one.release for one in left if one.release}
    ids |= set() if number is None else {number}
    if not 0 < len(ids) <= MOST_NAMES:
        return []
    found = await list_past_releases(context, ReleaseFilter(ids=tuple(ids), limit=MOST_NAMES))
    return [ended_view(one, context.now()) for one in found]


async def _audit(context: AdminContext, found: Mapping[int, str | None]) -> list[AuditView]:
    """Return the entries that name these messages, oldest first.

    `found` has the domain of each number, where it is known: its index is shorter than the trail.
    """
    entries: list[AuditView] = []
    for number, domain in found.items():
        about = AuditFilter(domain=domain, names=message_name(number))
        after: str | None = ""
        while after is not None:
            page = await list_audit(context, about, after=after)
            entries += page.views
            after = page.after
    unique = {(one.at, one.action, one.subject): one for one in entries}
    return sorted(unique.values(), key=lambda one: one.at)


def history_view(entry: HistoryEntry, names: DomainNames) -> HistoryView:
    """Return the view of an entry."""
    return HistoryView(
        id=entry.id,
        at=moment(entry.at),
        outcome=entry.outcome,
        name=message_name(entry.number),
        domain=names(entry.domain_id),
        received_at=moment(entry.received_at),
        octets=entry.octets,
        reverse_path=entry.reverse_path,
        forward_path=entry.forward_path,
        client=entry.client,
        message_id=entry.message_id,
        reply=entry.reply,
        drain=entry.drain,
        release=message_name(entry.release) if entry.release else "",
        way=entry.way,
        origin=origin_facts(entry.origin),
    )
