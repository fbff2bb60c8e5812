"""Changes of domains that wait: listed, cancelled, and applied before their time.

Any administrator of the account may cancel one, and operators too. Only operators may apply one
early.
"""

from collections.abc import Iterator

from restante.admin.accounts import find_account
from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import announce, entry, with_changes
from restante.admin.change_applying import ChangeObstacle, put_change
from restante.admin.change_scheduling import WaitingChangeView, announce_end, waiting_view
from restante.admin.domains import find_domain
from restante.admin.permissions import AdminAction, permit
from restante.store.schedule_store import PAGE
from restante.tenancy.audit import AuditAction
from restante.tenancy.scheduled_change import ScheduledChange


async def list_changes(
    context: AdminContext,
    *,
    account: str | None = None,
    domain: str | None = None,
    after: int = 0,
    limit: int = PAGE,
) -> Iterator[WaitingChangeView]:
    """Return changes that wait, by id, with an id above `after`: at least `limit` if there are.

    Raises AdminError for an unknown name.
    """
    permit(context.principal, AdminAction.CHANGE_LIST)
    if account is not None:
        find_account(context, account)
    domain_id = None if domain is None else find_domain(context, domain).id
    found: list[ScheduledChange] = []
    while len(found) < limit:
        page = await context.store.schedule.waiting_changes(domain_id=domain_id, after=after)
        found += [one for one in page if account in (None, one.account) and _is_seen(context, one)]
        if len(page) < PAGE:
            break
        after = page[-1].id
    return map(waiting_view, found)


async def cancel_change(
    context: AdminContext, change_id: int, domain: str = ""
) -> WaitingChangeView:
    """Cancel a change that waits, and return it. Raises AdminError if it does not.

    If `domain` is given, in canonical form, the change must be one of that domain.
    """
    permit(context.principal, AdminAction.CHANGE_CANCEL)
    change = await _find_change(context, change_id, domain)
    recorded = entry(
        context,
        AuditAction.CHANGE_CANCELLED,
        change.domain,
        change.account,
        domain=change.domain,
    )
    recorded = with_changes(recorded, change.changes)
    if not await context.store.schedule.drop_change(change.id, recorded):
        raise _not_waiting(change_id)
    announce(context, recorded)
    by = f"Cancelled by {context.principal.name}."
    announce_end(context, change, "cancelled", f"{by} {context.reason}".strip())
    return waiting_view(change)


async def apply_change(
    context: AdminContext, change_id: int, domain: str = ""
) -> WaitingChangeView:
    """Apply a change before its time, and return it. Raises AdminError.

    The operator decides: the rights of its maker, and locks, do not count. If `domain` is given, in
    canonical form, the change must be one of that domain.
    """
    permit(context.principal, AdminAction.CHANGE_APPLY)
    change = await _find_change(context, change_id, domain)
    try:
        is_applied = await put_change(context, change)
    except ChangeObstacle as obstacle:
        error = f"change {change_id}: cannot be applied: {obstacle}"
        remedy = f"cancel it by `restante change cancel {change_id}`"
        raise AdminError(ErrorKind.CONFLICT, error, remedy) from None
    if not is_applied:
        raise _not_waiting(change_id)
    announce_end(context, change, "applied", f"Applied early by {context.principal.name}.")
    return waiting_view(change)


async def _find_change(context: AdminContext, change_id: int, domain: str) -> ScheduledChange:
    found = await context.store.schedule.waiting_changes(after=change_id - 1, limit=1)
    if not found or found[0].id != change_id or not _is_seen(context, found[0]):
        raise _not_waiting(change_id)
    if domain not in ("", found[0].domain):
        raise _not_waiting(change_id)
    return found[0]


def _not_waiting(change_id: int) -> AdminError:
    """Make the error about a change that does not wait, or not any longer."""
    remedy = "`restante change list` shows those that do"
    return AdminError(ErrorKind.NOT_FOUND, f"change {change_id}: is not waiting", remedy)


def _is_seen(context: AdminContext, change: ScheduledChange) -> bool:
    """Return whether a change exists for the principal.

    One of an account that was removed does not exist for a new one with its name.
    """
    principal = context.principal
    if not principal.sees_domain(change.account, change.domain):
        return False
    account = context.directory.now.accounts.get(principal.account)
    return not principal.account or (account is not None and account.created_at <= change.made_at)
