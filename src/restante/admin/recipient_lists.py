"""The list of a domain's mailboxes: add, remove, replace, and show with learned recipients."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import changed, entry, moment, with_changes
from restante.admin.domains import find_domain
from restante.admin.listing_page import PAGE_ROWS, ListingPage, bad_cursor, page_of
from restante.admin.long_work import beside_mail
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import RecipientNames
from restante.mail.quantity import counted
from restante.phrases import REMOVED_MEANWHILE, did_you_mean
from restante.store.live_recipients import list_digest, recipient_pages
from restante.store.store_errors import Conflict
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import HostedDomain
from restante.tenancy.recipients import Recipient, RecipientSource, parse_recipient
from restante.tenancy.record_change import NOTHING, Change, listed_text

LARGEST_DROP = 0.2  # of a list, by an unconfirmed replacement


class RecipientChange(BaseModel):
    """The names to add and remove: local parts, addresses of the domain, patterns with `*`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    add: RecipientNames = ()
    remove: RecipientNames = ()


class RecipientList(BaseModel):
    """A whole list, to replace the present one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    addresses: RecipientNames
    is_confirmed: bool = False  # it may remove many
    is_preview: bool = False  # only show the result


class KnownRecipientView(BaseModel):
    """One entry."""

    name: str  # local part, or pattern
    source: str  # "list" or "drain"
    is_there: bool
    at: datetime  # when it was listed, or said


@dataclass(frozen=True, slots=True)
class KnownList:
    """A list as a client may know it."""

    domain: str
    digest: bytes


IsKnown = Callable[[KnownList], bool]


class ListChange(BaseModel):
    """The result of a change of a list, real or previewed."""

    added: int
    dropped: int
    listed: int  # afterwards
    is_large: bool  # many names are removed, so it must be confirmed


async def list_recipients(
    context: AdminContext, domain: str, after: str = "", limit: int = PAGE_ROWS
) -> ListingPage[KnownRecipientView]:
    """Return a domain's first recipients by source and name.

    Raises AdminError if it is not hosted, and for a bad cursor.
    """
    permit(context.principal, AdminAction.RECIPIENTS_LIST)
    hosted = find_domain(context, domain)
    rows = await context.store.recipients.recipients(hosted.id, _place_of(after), limit + 1)
    return page_of(rows, limit, _view, lambda one: f"{one.source}/{one.name}")


def _place_of(cursor: str) -> Recipient | None:
    source, slash, name = cursor.partition("/")
    if not cursor:
        return None
    if not slash or source not in list(RecipientSource):
        raise bad_cursor(cursor)
    return Recipient(name, RecipientSource(source), is_there=True, at=0.0)


async def known_list(context: AdminContext, domain: str) -> KnownList:
    """Return a domain's list, for comparison with a client's. Raises AdminError."""
    permit(context.principal, AdminAction.RECIPIENTS_LIST)
    hosted = find_domain(context, domain)
    return KnownList(hosted.name, await context.parts.recipients.digest(hosted.id))


async def change_recipients(
    context: AdminContext, domain: str, change: RecipientChange, is_known: IsKnown | None = None
) -> ListChange:
    """Add and remove names.

    Raises AdminError for an address outside the domain, or a missing name to remove. `is_known`
    tells whether the client knows the list as it is; None: it does not say.
    """
    permit(context.principal, AdminAction.RECIPIENTS_CHANGE)
    hosted = find_domain(context, domain)
    removed = await _parsed(hosted, change.remove)
    added = await _parsed(hosted, change.add)
    async with context.parts.recipients.changing(hosted.id):
        present = await _known(context, hosted, is_known)
        if missing := sorted(removed - present):
            error = f"recipient {missing[0]}: is not on the list of {hosted.name}"
            remedy = "`restante recipient list DOMAIN` shows those that are"
            meant = await beside_mail(did_you_mean, missing[0], present)
            raise AdminError(ErrorKind.NOT_FOUND, error, f"{meant} {remedy}".lstrip())
        return await _put(context, hosted, await beside_mail(_plan_change, present, removed, added))


async def replace_recipients(
    context: AdminContext, domain: str, wanted: RecipientList, is_known: IsKnown | None = None
) -> ListChange:
    """Replace the list. Raises AdminError if that removes many names and is not confirmed."""
    permit(context.principal, AdminAction.RECIPIENTS_CHANGE)
    hosted = find_domain(context, domain)
    names = await _parsed(hosted, wanted.addresses)
    async with context.parts.recipients.changing(hosted.id):
        present = await _known(context, hosted, is_known)
        plan = await beside_mail(_plan, present, names)
        if wanted.is_preview:
            return plan.change
        if plan.change.is_large and not wanted.is_confirmed:
            listed = counted(len(present), "recipient")
            error = (
                f"domain {hosted.name}: {plan.change.dropped} of the {listed} listed would be"
                " dropped"
            )
            raise AdminError(ErrorKind.CONFLICT, error, "use --yes if the new list is complete")
        return await _put(context, hosted, plan)


async def check_addresses(domain: HostedDomain, addresses: Sequence[str]) -> int:
    """Return how many names a new list would have. Raises AdminError for one that is no address."""
    return len(await _parsed(domain, addresses))


async def _known(context: AdminContext, domain: HostedDomain, is_known: IsKnown | None) -> set[str]:
    """Return the names of a list. Raises AdminError if a client knows another."""
    present = await _listed(context, domain)
    if is_known is not None:
        digest = await beside_mail(list_digest, present)
        if not is_known(KnownList(domain.name, digest)):
            error = f"recipients of {domain.name}: have changed since you read them"
            remedy = "read them again, and send the new ETag in If-Match"
            raise AdminError(ErrorKind.STALE, error, remedy)
    return present


async def _listed(context: AdminContext, domain: HostedDomain) -> set[str]:
    names: set[str] = set()
    async for page in recipient_pages(context.store.recipients, domain.id):
        names.update(one.name for one in page if one.source is RecipientSource.LIST)
    return names


async def _parsed(domain: HostedDomain, texts: Sequence[str]) -> set[str]:
    """Read addresses, in a thread: there may be a hundred thousand. Raises AdminError."""
    return await beside_mail(_parse, domain, texts)


def _parse(domain: HostedDomain, texts: Iterable[str]) -> set[str]:
    try:
        return {parse_recipient(domain.name, text) for text in texts}
    except ValueError as error:
        remedy = f"write one as user, user@{domain.name} or sales-*"
        raise AdminError(ErrorKind.INVALID, f"recipient: {error}", remedy) from None


@dataclass(frozen=True, slots=True)
class _Plan:
    """The planned changes of a list, names in order, and their audit entry."""

    change: ListChange
    added: list[str]
    dropped: list[str]
    changes: list[Change]


def _plan_change(present: set[str], removed: set[str], added: set[str]) -> _Plan:
    return _plan(present, (present - removed) | added)


def _plan(present: set[str], wanted: set[str]) -> _Plan:
    """Find out what differs. For a thread: the sets may be large."""
    added, dropped = sorted(wanted - present), sorted(present - wanted)
    is_large = len(dropped) > LARGEST_DROP * len(present)
    change = ListChange(
        added=len(added), dropped=len(dropped), listed=len(wanted), is_large=is_large
    )
    changes = (
        Change("listed", str(len(present)), str(len(wanted))),
        Change("added", NOTHING, listed_text(added)),
        Change("dropped", listed_text(dropped), NOTHING),
    )
    return _Plan(change, added, dropped, [one for one in changes if one.before != one.after])


def _view(one: Recipient) -> KnownRecipientView:
    return KnownRecipientView(
        name=one.name, source=one.source, is_there=one.is_there, at=moment(one.at)
    )


async def _put(context: AdminContext, domain: HostedDomain, plan: _Plan) -> ListChange:
    if not plan.added and not plan.dropped:
        return plan.change
    recorded = entry(
        context, AuditAction.RECIPIENTS_CHANGED, domain.name, domain.account, domain=domain.name
    )
    recorded = with_changes(recorded, plan.changes)
    try:
        await context.store.recipients.change_list(domain.id, plan.added, plan.dropped, recorded)
    except Conflict:
        error = f"domain {domain.name}: {REMOVED_MEANWHILE}"
        raise AdminError(ErrorKind.CONFLICT, error, "add it again by `domain add`") from None
    await changed(context, recorded)
    return plan.change
