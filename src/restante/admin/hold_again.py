"""Hold refused, uncertain or damaged mail again. The next drain of its domain takes it.

A damaged message is read first, and stays as it is unless its content is whole again. So damage
that is known stays in the figures and in the health until it is repaired or deleted.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

from restante.admin.admin_context import AdminContext
from restante.admin.auditing import announce, entry_about_mail, with_changes
from restante.admin.bounce import DamagedMessage
from restante.admin.held_mail import NamedMessages, QueueChange, number_of
from restante.admin.permissions import AdminAction, permit
from restante.admin.scope import list_held, message_in_scope
from restante.queue.recipient_status import RecipientStatus
from restante.store.queue_store import QueuedMessage, QueueFilter
from restante.store.store_errors import Damaged
from restante.tenancy.audit import AuditAction
from restante.tenancy.record_change import Change


class MessagesToHoldAgain(NamedMessages):
    """Messages to hold again; a status limits this to the recipients that have it."""

    status: Literal["refused", "uncertain", "damaged"] | None = None


class HoldChange(QueueChange):
    """The result. Damaged messages are neither changed nor missing: they stay as they are."""

    damaged: list[DamagedMessage]


async def hold_again(context: AdminContext, named: MessagesToHoldAgain) -> HoldChange:
    """Hold the recipients again that are refused, uncertain or damaged.

    Raises AdminError, StoreError.
    """
    permit(context.principal, AdminAction.QUEUE_RELEASE)
    numbers = {number_of(name): name for name in named.names}
    found = await list_held(context, QueueFilter(numbers=tuple(numbers), limit=len(numbers)))
    status = None if named.status is None else RecipientStatus(named.status)
    by_domain: dict[int, list[QueuedMessage]] = defaultdict(list)
    damaged: dict[int, str] = {}
    for listed in found:
        damage = await _damage(context, listed)
        if damage:
            damaged[listed.number] = damage
        elif _kinds([listed], status):
            by_domain[listed.domain_id].append(listed)
    count = 0
    for domain_id, group in by_domain.items():
        count += await _hold_group(context, domain_id, group, status, named.reason)
    there = {listed.number for listed in found}
    return HoldChange(
        changed=count,
        missing=[name for number, name in numbers.items() if number not in there],
        damaged=[
            DamagedMessage(name=numbers[number], damage=damage)
            for number, damage in damaged.items()
        ],
    )


async def _hold_group(
    context: AdminContext,
    domain_id: int,
    group: Sequence[QueuedMessage],
    status: RecipientStatus | None,
    reason: str,
) -> int:
    """Hold one domain's messages again, with an audit entry of their own."""
    numbers = [listed.number for listed in group]
    recorded = with_changes(
        entry_about_mail(context, AuditAction.MAIL_HELD_AGAIN, domain_id, numbers, reason),
        [Change("status", ", ".join(_kinds(group, status)), RecipientStatus.HELD)],
    )
    count = await context.store.queue.release_refused(numbers, recorded, status)
    announce(context, recorded)
    return count


def _kinds(group: Sequence[QueuedMessage], status: RecipientStatus | None) -> list[str]:
    """Return the states, other than held, of the recipients that are concerned."""
    states = {one.status for listed in group for one in listed.recipients}
    return sorted(
        one.value for one in states if one is not RecipientStatus.HELD and status in (None, one)
    )


async def _damage(context: AdminContext, listed: QueuedMessage) -> str:
    """Return what is wrong with a message that was found damaged; "" if it is whole now."""
    if all(one.status is not RecipientStatus.DAMAGED for one in listed.recipients):
        return ""
    try:
        message = await message_in_scope(context, listed.number)
        if message is not None and message.file is not None:
            async for _ in context.store.content.read_file(message.file):
                pass
    except Damaged as damage:
        return str(damage)
    return ""
