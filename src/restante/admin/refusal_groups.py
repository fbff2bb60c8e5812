"""Refused mail in groups by the destination's reply.

Only the numbers, addresses and replies are read, page by page, and grouped in a thread. There may
be a hundred thousand messages, and a page of the portal cannot wait for them. So a reading ends
after AT_FIRST, or after PATIENCE if somebody asks for all of it. It says whether it ended early.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from restante.admin.admin_context import AdminContext
from restante.admin.held_mail import (
    MAX_NAMES,
    DomainNames,
    QueueSelection,
    domain_names,
    queue_filter,
    queue_pages,
)
from restante.admin.long_work import beside_mail
from restante.admin.permissions import AdminAction, permit
from restante.mail.message import message_name
from restante.queue.recipient_status import RecipientStatus
from restante.queue.reply_kind import kind_of
from restante.store.queue_store import QueuedMessage

AT_FIRST: Final = 0.03  # seconds
PATIENCE: Final = 2.0  # seconds, for somebody who asks for all
MOST_READ: Final = 100_000  # messages
EXAMPLES: Final = 5


@dataclass(slots=True)
class RefusalGroup:
    """The messages that got one reply."""

    reply: str  # of the first of them, as the destination wrote it
    count: int = 0
    names: list[str] = field(default_factory=list)  # the oldest, as many as one request may name
    domains: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[str, str]] = field(default_factory=list)  # names and reverse-paths


@dataclass(frozen=True, slots=True)
class RefusalGroups:
    """All groups, the largest first."""

    groups: list[RefusalGroup]
    count: int  # messages
    is_cut: bool  # there are more, which are newer


async def refusal_groups(
    context: AdminContext, domain: str | None, patience: float = PATIENCE
) -> RefusalGroups:
    """Return the refused mail of a domain, or of all in scope. Raises AdminError.

    No page is read after `patience`, in seconds.
    """
    permit(context.principal, AdminAction.QUEUE_LIST)
    status, names = RecipientStatus.REFUSED, domain_names(context)
    selection = QueueSelection(domain=domain, status=status, limit=MOST_READ)
    groups: dict[str, RefusalGroup] = {}
    began, count, is_cut = context.memory.monotonic(), 0, False
    async for page in queue_pages(context, queue_filter(context, selection)):
        await beside_mail(add_to_groups, groups, page, names)
        count += len(page)
        is_cut = count >= MOST_READ or context.memory.monotonic() - began > patience
        if is_cut:
            break
    return RefusalGroups(sorted(groups.values(), key=lambda one: -one.count), count, is_cut)


def add_to_groups(
    groups: dict[str, RefusalGroup], page: Sequence[QueuedMessage], names: DomainNames
) -> None:
    """Add messages to their groups. For a thread: there may be many."""
    for message in page:
        replies = {kind_of(one.reply): one.reply for one in reversed(message.recipients)}
        for kind, reply in replies.items():
            group = groups.setdefault(kind, RefusalGroup(reply))
            group.count += 1
            group.domains[names(message.domain_id)] += 1
            if len(group.names) < MAX_NAMES:
                group.names.append(message_name(message.number))
            if len(group.examples) < EXAMPLES:
                group.examples.append((message_name(message.number), message.reverse_path))
