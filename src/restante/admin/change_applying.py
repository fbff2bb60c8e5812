"""Applies a change that waited, if the record and the destination still admit it."""

from dataclasses import replace

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError
from restante.admin.auditing import MAX_REASON_LENGTH, changed, entry, with_changes
from restante.admin.destinations import judge_destination
from restante.store.store_errors import Conflict
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import HostedDomain
from restante.tenancy.record_change import changes_between
from restante.tenancy.scheduled_change import ScheduledChange, objection, with_change


class ChangeObstacle(Exception):  # noqa: N818
    """The change cannot be applied. The text says why, without the names of hosts inside."""


class RecordMoved(ChangeObstacle):
    """The record of the domain was changed at this moment; another attempt may succeed."""


async def put_change(
    context: AdminContext, change: ScheduledChange, judge: AdminContext | None = None
) -> bool:
    """Change the record, forget the change, and log it. False if it no longer waits.

    The destination is checked again as if `judge` named it; by default, `context`. An account then
    learns no inside address. Raises Obstacle, StoreError.
    """
    present = context.directory.now.domain_by_id(change.domain_id)
    if (why := objection(change, present)) or present is None:
        raise ChangeObstacle(why)
    wanted = with_change(change, present)
    await _check_destination(judge or context, present, wanted)
    action = AuditAction.CHANGE_APPLIED
    recorded = entry(context, action, change.domain, change.account, domain=change.domain)
    recorded = replace(recorded, reason=_reason(context, change))
    recorded = with_changes(recorded, changes_between(present, wanted))
    try:
        is_applied = await context.store.schedule.apply_change(change.id, present, wanted, recorded)
    except Conflict:
        raise RecordMoved("the domain was changed at this moment") from None
    if is_applied:
        await changed(context, recorded)
    return is_applied


async def _check_destination(
    judge: AdminContext, present: HostedDomain, wanted: HostedDomain
) -> None:
    """Raise Obstacle where mail may not be sent now, as when the change was made."""
    destination = wanted.destination
    if (destination.host, destination.port) == (present.destination.host, present.destination.port):
        return
    try:
        await judge_destination(
            judge,
            destination.host,
            destination.port,
            must_be_public=destination.must_be_public,
        )
    except AdminError as error:
        raise ChangeObstacle(error.error) from None


def _reason(context: AdminContext, change: ScheduledChange) -> str:
    """Return who asked for a change and why, and why it was applied now."""
    parts = (f"change {change.id}, asked for by {change.maker.name}", change.reason, context.reason)
    return ": ".join(part for part in parts if part)[:MAX_REASON_LENGTH]
