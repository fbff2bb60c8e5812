"""Bouncing by hand: delete messages and store reports to their senders, in one transaction.

The report names recipients who are held or refused, with the destination's last reply on each. No
report is made where none is allowed (queue/reporting.py): for mail from the null reverse-path,
suspect mail, and NOTIFY=NEVER.

A damaged message stays, because no report can be made for it. It is marked damaged,
and does not block others. Another failure of the store ends the action; messages bounced before
stay bounced.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext

from pydantic import BaseModel

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import (
    announce,
    checked_reason,
    entry_about_mail,
    with_changes,
)
from restante.admin.held_mail import NamedMessages, QueueChange, number_of
from restante.admin.permissions import AdminAction, permit
from restante.admin.scope import list_held
from restante.delivery.route import remote_name
from restante.dsn.bounce_maker import prepare_bounce
from restante.dsn.dsn_writer import DsnWriter
from restante.mail.message import message_name
from restante.queue.recipient_status import RecipientStatus
from restante.retention.removal_record import removal_of
from restante.store.queue_store import MessageBounce, QueuedMessage, QueueFilter
from restante.store.store_errors import Damaged
from restante.tenancy.audit import AuditAction

AT_ONCE = 100  # messages in one transaction: their reports are in memory together


class DamagedMessage(BaseModel):
    """A damaged message, and its damage."""

    name: str
    damage: str


class BounceChange(QueueChange):
    """The result. Damaged messages are neither changed nor missing: they stay unchanged."""

    told: int  # of those changed: a report was stored for the sender
    damaged: list[DamagedMessage]


async def bounce_messages(context: AdminContext, named: NamedMessages) -> BounceChange:
    """Bounce messages in any state, except damaged ones. Raises AdminError, StoreError.

    A message that changed while its report was made is among the missing: it may be delivered by
    now.
    """
    permit(context.principal, AdminAction.QUEUE_BOUNCE)
    checked_reason(named.reason)
    numbers = {number_of(name): name for name in named.names}
    found = await list_held(context, QueueFilter(numbers=tuple(numbers), limit=len(numbers)))
    for domain_id, group in _groups(found):
        async with _held_off(context, domain_id) as is_held_off:
            if not is_held_off:
                _check_drain(context, group)
    done: set[int] = set()
    damaged: dict[int, str] = {}
    told = 0
    for domain_id, group in _groups(found):
        async with _held_off(context, domain_id) as is_held_off:
            if not is_held_off:
                _check_drain(context, group)
            bounces = await _prepare(context, group, damaged)
            bounced = await _carry_out(context, group, bounces, named.reason)
        told += sum(bounce.report is not None for bounce in bounces if bounce.number in bounced)
        done |= bounced
    return BounceChange(
        changed=len(done),
        missing=[
            name for number, name in numbers.items() if number not in done and number not in damaged
        ],
        told=told,
        damaged=[
            DamagedMessage(name=numbers[number], damage=damage)
            for number, damage in damaged.items()
        ],
    )


def _held_off(context: AdminContext, domain_id: int) -> AbstractAsyncContextManager[bool]:
    """Block delivery of a domain's mail during the block; False if some may be in delivery."""
    return (
        context.server.drain_held_off(domain_id)
        if context.server
        else nullcontext(enter_result=True)
    )


def _check_drain(context: AdminContext, found: Sequence[QueuedMessage]) -> None:
    """Raise AdminError for a held message of a domain with mail in delivery now."""
    for listed in found:
        domain = context.directory.now.domain_by_id(listed.domain_id)
        if domain is not None and any(
            one.status is RecipientStatus.HELD for one in listed.recipients
        ):
            error = (
                f"message {message_name(listed.number)}: mail of {domain.name} is being handed over"
            )
            remedy = (
                "wait until its drain pauses or is over (`restante drain list`), or stop it:"
                f" restante drain stop {domain.name}"
            )
            raise AdminError(ErrorKind.CONFLICT, error, remedy)


def _groups(found: Sequence[QueuedMessage]) -> Iterator[tuple[int, Sequence[QueuedMessage]]]:
    """Yield messages by domain, in small groups: an account's trail may not name others' mail."""
    by_domain: dict[int, list[QueuedMessage]] = defaultdict(list)
    for listed in found:
        by_domain[listed.domain_id].append(listed)
    for domain_id, group in by_domain.items():
        for start in range(0, len(group), AT_ONCE):
            yield domain_id, group[start : start + AT_ONCE]


async def _prepare(
    context: AdminContext, group: Sequence[QueuedMessage], damaged: dict[int, str]
) -> list[MessageBounce]:
    """Return the bounces for existing messages; add damaged ones to `damaged`.

    Raises StoreError.
    """
    bounces = []
    for listed in group:
        domain = context.directory.now.domain_by_id(listed.domain_id)
        remote = remote_name(domain.destination) if domain is not None else ""
        try:
            bounce = await prepare_bounce(context.store.queue, _dsn_writer(context), listed, remote)
        except Damaged as damage:
            damaged[listed.number] = str(damage)
            continue
        if bounce is not None:
            bounces.append(bounce)
    return bounces


async def _carry_out(
    context: AdminContext,
    group: Sequence[QueuedMessage],
    bounces: Sequence[MessageBounce],
    reason: str,
) -> set[int]:
    """Bounce messages of a group, which is of one domain. Return the numbers of those that left."""
    if not bounces:
        return set()
    numbers = {bounce.number for bounce in bounces}
    left = [listed for listed in group if listed.number in numbers]
    action, domain_id = AuditAction.MAIL_BOUNCED, left[0].domain_id
    recorded = with_changes(
        entry_about_mail(context, action, domain_id, (one.number for one in left), reason),
        removal_of(left),
    )
    bounced = set(await context.store.queue.bounce(bounces, recorded))
    announce(context, recorded)
    _dsn_writer(context).stored(
        [one.report for one in bounces if one.report is not None and one.number in bounced]
    )
    return bounced


def _dsn_writer(context: AdminContext) -> DsnWriter:
    dsn_writer = DsnWriter(
        context.store.content, context.network.hostname, context.now, context.parts.log
    )
    if context.server is not None:
        dsn_writer.on_stored(context.server.send_reports)
    return dsn_writer
