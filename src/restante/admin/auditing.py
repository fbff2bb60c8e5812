"""The operator's part of the audit trail: each change has an actor, an action and a reason.

It is in the trail and in the log.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.listing_page import PAGE_ROWS, ListingPage, number_at
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import check_span
from restante.admin.scope import audit_in_scope, domain_name
from restante.mail.message import message_name
from restante.phrases import CHANGED_MEANWHILE, did_you_mean
from restante.retention.removal_record import change_event
from restante.tenancy.audit import EVERY_ENTRY, AuditAction, AuditEntry, AuditFilter
from restante.tenancy.record_change import Change, readable_change

MAX_REASON_LENGTH = 500  # characters
PAGE: Final = 500  # of a long listing, read from the store at once: a few milliseconds of Python


class ChangeView(BaseModel):
    """One field of a record that was changed."""

    field: str
    before: str
    after: str


class AuditView(BaseModel):
    """One entry of the trail."""

    at: datetime
    action: str
    actor: str
    subject: str
    account: str
    acted_from: str
    answer: str
    result: str  # of a request to release mail; "" for every other action
    reason: str
    domain: str  # the domain concerned; "" for none or several
    changes: list[ChangeView]


async def list_audit(
    context: AdminContext,
    wanted: AuditFilter = EVERY_ENTRY,
    limit: int = PAGE_ROWS,
    after: str = "",
) -> ListingPage[AuditView]:
    """Return the newest matching entries, newest first.

    Raises AdminError for an action that does not exist, and for a bad cursor.
    """
    permit(context.principal, AdminAction.AUDIT_LIST)
    check_span(wanted.since, wanted.until)
    if wanted.action is not None and wanted.action not in list(AuditAction):
        meant = did_you_mean(wanted.action, AuditAction)
        remedy = meant or f"name one of {', '.join(AuditAction)}"
        raise AdminError(ErrorKind.INVALID, f"action {wanted.action}: does not exist", remedy)
    before = number_at(after)
    if wanted.domain is not None:
        wanted = wanted._replace(domain=domain_name(wanted.domain))
    in_scope = audit_in_scope(context, wanted)
    if in_scope is None:
        return ListingPage(iter(()), None)
    page = await context.store.audit.audit_page(in_scope, limit, before)
    return ListingPage(
        (_view(context, one) for one in page.entries),
        None if page.before is None else str(page.before),
        is_short=page.before is not None and len(page.entries) < limit,
    )


def moment(at: float) -> datetime:
    """Return a Unix time in the form of views."""
    return datetime.fromtimestamp(at, UTC)


def entry(
    context: AdminContext,
    action: AuditAction,
    subject: str,
    account: str,
    reason: str = "",
    *,
    domain: str = "",
) -> AuditEntry:
    """Make the entry of an action; without a given reason, use the caller's."""
    said = reason or _stated(context.reason)
    return AuditEntry(
        context.now(),
        action,
        context.principal.name,
        subject,
        account,
        acted_from=context.principal.acted_from,
        reason=said,
        domain=domain,
    )


def entry_about_mail(
    context: AdminContext, action: AuditAction, domain_id: int, numbers: Iterable[int], reason: str
) -> AuditEntry:
    """Make the entry of an action on one domain's messages.

    An account's trail may not name another's mail.
    """
    hosted = context.directory.now.domain_by_id(domain_id)
    account, domain = (hosted.account, hosted.name) if hosted is not None else ("", "")
    return entry(
        context, action, " ".join(map(message_name, numbers)), account, reason, domain=domain
    )


def with_changes(recorded: AuditEntry, changes: Sequence[Change]) -> AuditEntry:
    """Return an entry with the changed fields of a record."""
    return replace(recorded, changes=tuple(changes))


def change_views(changes: Sequence[Change]) -> list[ChangeView]:
    """Return the views of changes."""
    return [
        ChangeView(field=one.field, before=one.before, after=one.after)
        for one in map(readable_change, changes)
    ]


def checked_reason(reason: str) -> str:
    """Return the reason for an action that needs one. Raises AdminError if there is none."""
    if not reason.strip():
        remedy = f"give one line of at most {MAX_REASON_LENGTH} characters as --reason"
        error = "reason: this action needs one, for the audit trail"
        raise AdminError(ErrorKind.USAGE, error, remedy)
    return _stated(reason)


def _stated(reason: str) -> str:
    if len(reason) > MAX_REASON_LENGTH or not (reason.isprintable() or not reason):
        remedy = f"give one line of at most {MAX_REASON_LENGTH} characters as --reason"
        raise AdminError(ErrorKind.USAGE, "reason: too long, or of more than one line", remedy)
    return reason


async def changed(context: AdminContext, recorded: AuditEntry) -> None:
    """Apply a changed record and log it; call before confirming the change."""
    await context.directory.refresh()
    await context.parts.recipients.catch_up()
    announce(context, recorded)


async def overtaken(context: AdminContext, thing: str) -> AdminError:
    """Return the refusal of a change whose record was changed by somebody else meanwhile."""
    await context.directory.refresh()
    remedy = "nothing was changed; look at it, and try again"
    return AdminError(ErrorKind.CONFLICT, f"{thing}: {CHANGED_MEANWHILE}", remedy)


def announce(context: AdminContext, recorded: AuditEntry) -> None:
    """Log a change."""
    if context.parts.log:
        context.parts.log.publish(change_event(recorded))


def _view(context: AdminContext, recorded: AuditEntry) -> AuditView:
    # A domain that moved names the account that it came from.
    changes = [
        one for one in recorded.changes if one.field != "account" or context.principal.sees("")
    ]
    return AuditView(
        at=moment(recorded.at),
        action=recorded.action,
        actor=recorded.actor,
        subject=recorded.subject,
        account=recorded.account,
        acted_from=recorded.acted_from,
        answer=recorded.answer,
        result=recorded.result or "",
        reason=recorded.reason,
        domain=recorded.domain,
        changes=change_views(changes),
    )
