"""Schedules an account's changes of destinations and authorized hosts, instead of applying them.

Every way to change a domain ends in `domains.store_domain`, which asks here. So no way goes around
it. An operator's change is applied at once.

A wish that waits already is found again, so that a client may repeat its request. Another wish for
the same part is refused: one of two would win by chance.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import BaseModel

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import ChangeView, announce, change_views, entry, moment, with_changes
from restante.store.store_errors import Conflict
from restante.telemetry.events import ChangeEnded
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import HostedDomain
from restante.tenancy.principal import Role
from restante.tenancy.record_change import Change, readable_change
from restante.tenancy.scheduled_change import (
    ChangeMaker,
    ScheduledChange,
    destination_change,
    hosts_change,
)
from restante.tenancy.sealed_secrets import SealBroken, destination_owner


class WaitingChangeView(BaseModel):
    """A change that waits, as it is shown."""

    id: int
    domain: str
    account: str
    asked_by: str
    acted_from: str
    asked_at: datetime
    applies_at: datetime
    reason: str
    changes: list[ChangeView]


def waiting_view(change: ScheduledChange) -> WaitingChangeView:
    """Return the view of a change that waits."""
    return WaitingChangeView(
        id=change.id,
        domain=change.domain,
        account=change.account,
        asked_by=change.maker.name,
        acted_from=change.maker.acted_from,
        asked_at=moment(change.made_at),
        applies_at=moment(change.applies_at),
        reason=change.reason,
        changes=change_views(change.changes),
    )


def wish(
    context: AdminContext, present: HostedDomain | None, wanted: HostedDomain
) -> ScheduledChange | None:
    """Return the part of a change that an account may only ask for; None if there is none.

    Raises AdminError if an operator has locked the domain or its account.
    """
    if context.principal.role is not Role.ACCOUNT or present is None:
        return None
    destination = destination_change(present, wanted)
    authorized_hosts = hosts_change(present, wanted)
    if destination is None and authorized_hosts is None:
        return None
    principal, now = context.principal, context.now()
    change = ScheduledChange(
        0,
        present.id,
        present.name,
        present.account,
        ChangeMaker(principal.name, principal.acted_from, principal.token, principal.user),
        now,
        now + context.settings.change_delay(),
        destination,
        authorized_hosts,
        context.reason,
    )
    if locked := lock_on(context, present):
        raise AdminError(
            ErrorKind.NOT_ALLOWED,
            f"domain {present.name}: its {change.parts_text} cannot be changed: {locked}",
            "ask an operator of this server",
        )
    return change


def lock_on(context: AdminContext, domain: HostedDomain) -> str:
    """Return why an account may not change where a domain's mail goes; "" if it may."""
    account = context.directory.now.accounts.get(domain.account)
    if domain.policy.change_lock:
        return "an operator has locked this domain"
    if account is not None and account.change_lock:
        return "an operator has locked the domains of this account"
    return ""


async def waiting_like(context: AdminContext, change: ScheduledChange) -> ScheduledChange | None:
    """Return the waiting change with the same wish; None if nothing is in the way.

    Raises AdminError if another wish for one of the parts waits.
    """
    waiting = await context.store.schedule.waiting_changes(domain_id=change.domain_id)
    for other in waiting:
        if other.wants_the_same(_sealed_alike(context, change, other)):
            return other
    if in_the_way := [one for one in waiting if one.parts & change.parts]:
        raise _in_the_way(change, in_the_way[0])
    return None


def _sealed_alike(
    context: AdminContext, change: ScheduledChange, other: ScheduledChange
) -> ScheduledChange:
    """Return a change with the seal of the other one, where both have the same password in it.

    The same password has other octets each time that it is sealed.
    """
    if change.destination is None or other.destination is None:
        return change
    wanted = change.destination.wanted
    mine, known = wanted.login, other.destination.wanted.login
    if mine is None or known is None or mine.user != known.user:
        return change
    owner = destination_owner(change.domain)
    try:
        passwords = [context.vault.open(one.sealed_password, owner) for one in (mine, known)]
    except SealBroken:
        return change
    if passwords[0] != passwords[1]:
        return change
    return replace(
        change, destination=replace(change.destination, wanted=replace(wanted, login=known))
    )


async def schedule(context: AdminContext, change: ScheduledChange) -> ScheduledChange:
    """Keep a change, unless the same waits already, and return the one that waits.

    Raises AdminError.
    """
    if (same := await waiting_like(context, change)) is not None:
        return same
    action = AuditAction.CHANGE_SCHEDULED
    recorded = entry(context, action, change.domain, change.account, domain=change.domain)
    recorded = with_changes(recorded, change.changes)
    try:
        kept = await context.store.schedule.schedule_change(change, recorded)
    except Conflict:  # somebody else was faster, or the domain was removed
        error = f"domain {change.domain}: was changed at this moment"
        raise AdminError(ErrorKind.CONFLICT, error, "look at it, and try again") from None
    announce(context, recorded)
    return kept


def changed_at_once(context: AdminContext, change: ScheduledChange) -> None:
    """Tell the account of a change that did not wait, because no delay is configured."""
    announce_end(context, change, "applied")


def announce_end(
    context: AdminContext, change: ScheduledChange, end: str, reason: str = ""
) -> None:
    """Tell the account how a change ended."""
    if context.parts.log is None:
        return
    context.parts.log.publish(
        ChangeEnded(
            number=change.id,
            domain=change.domain,
            account=told_account(context, change),
            actor=change.maker.name,
            end=end,
            reason=reason,
            changes=change_lines(change.changes),
        )
    )


def told_account(context: AdminContext, change: ScheduledChange) -> str:
    """Return the account that is told; "" if a new one has the name since."""
    account = context.directory.now.accounts.get(change.account)
    is_same = account is not None and account.created_at <= change.made_at
    return change.account if is_same else ""


def change_lines(changes: Iterable[Change]) -> tuple[str, ...]:
    """Return changed fields, before and after, as a notice shows them."""
    return tuple(
        f"{one.field}: {one.before} → {one.after}" for one in map(readable_change, changes)
    )


def time_text(at: float) -> str:
    """Return a Unix time as people read it, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def scheduled_warnings(change: ScheduledChange | None) -> Sequence[str]:
    """Return what to tell the one who asked for a change that waits."""
    if change is None:
        return []
    when = time_text(change.applies_at)
    what = f"domain {change.domain}: its {change.parts_text} will change at {when}"
    return [f"{what}, unless change {change.id} is cancelled"]


def _in_the_way(change: ScheduledChange, other: ScheduledChange) -> AdminError:
    error = (
        f"domain {change.domain}: another change of its {other.parts_text} waits until"
        f" {time_text(other.applies_at)}"
    )
    return AdminError(
        ErrorKind.CONFLICT,
        error,
        f"cancel change {other.id} first, then request both together",
    )
