"""The message of a drill whose end nobody saw, because the server stopped: found and removed.

A drill marks its beginning in the store before its message comes in, and forgets the mark once the
message has left. The token of the message is a keyed digest of domain and beginning. So any server
of the store finds the message of a mark, and no stranger can give that name to another message.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from restante.admin.admin_context import AdminContext
from restante.admin.auditing import announce, entry_about_mail
from restante.admin.drill_marks import BEGUN
from restante.readiness.drill_message import drill_id_start
from restante.store.queue_store import QueueFilter
from restante.store.retention_store import RetentionStore
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import HostedDomain
from restante.tenancy.sealed_secrets import Vault

SURE_SECONDS: Final = 900.0  # after this, a message that is not there comes no more
_SLACK: Final = 60.0  # by which a clock may have been set back meanwhile
_TOKEN_DIGITS: Final = 16
_REASON: Final = "it was left by a drill that did not end"


@dataclass(frozen=True, slots=True)
class DrillBeginning:
    """The beginning of a drill, by which its message is found."""

    domain_id: int
    domain: str
    at: float  # Unix time

    def token(self, vault: Vault) -> str:
        """Return the token of its message. A rotation of the key must not change it."""
        key = vault.constant("messages of drills")
        text = f"{self.at!r} {self.domain}"
        return hmac.digest(key, text.encode(), "sha256").hex()[:_TOKEN_DIGITS]


async def mark_beginning(marks: RetentionStore, beginning: DrillBeginning) -> None:
    """Mark that the message of a drill may come in from now on. Raises StoreError."""
    await marks.keep_mark(beginning.domain_id, BEGUN, beginning.at)


async def forget_beginning(marks: RetentionStore, domain_id: int) -> None:
    """Forget the mark: the message has left, or never came in. Raises StoreError."""
    await marks.keep_mark(domain_id, BEGUN, None)


async def beginnings(marks: RetentionStore) -> Mapping[int, float]:
    """Return the marks by domain id: of drills that run, or that did not end."""
    return await marks.marks(BEGUN)


async def remove_leftover(context: AdminContext, domain: HostedDomain) -> None:
    """Remove the message of a drill that did not end, if there is one. Raises StoreError.

    The caller must have the duty of drilling the domain: then no such drill runs.
    """
    marks = context.store.retention
    at = (await marks.marks(BEGUN, [domain.id])).get(domain.id)
    if at is None:
        return
    beginning = DrillBeginning(domain.id, domain.name, at)
    numbers = await _messages(context, beginning)
    if numbers:
        recorded = entry_about_mail(context, AuditAction.MAIL_DELETED, domain.id, numbers, _REASON)
        if await context.store.queue.delete(numbers, recorded):
            announce(context, recorded)
    if numbers or abs(context.now() - at) > SURE_SECONDS:
        await forget_beginning(marks, domain.id)


async def _messages(context: AdminContext, beginning: DrillBeginning) -> list[int]:
    """Return the number of the drill's message. Its Message-ID names the server that made it."""
    start = drill_id_start(beginning.token(context.vault))
    after: int | None = 0
    found: list[int] = []
    while after is not None and not found:
        page = await context.store.queue.queue_page(
            QueueFilter(
                domain_ids=(beginning.domain_id,),
                reverse_path="",
                received_since=beginning.at - _SLACK,
                received_before=beginning.at + SURE_SECONDS,
                after=after,
            )
        )
        found = [one.number for one in page.messages if one.message_id.startswith(start)]
        after = page.after
    return found
