"""The port of a store for ending the retention of mail.

Part of the contract in interface.py, whose rules hold here.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from restante.queue.recipient_status import RecipientStatus
from restante.tenancy.audit import AuditEntry


class RetentionStore(Protocol):
    """Finds and removes what is too old, and keeps a mark of each notice given of a domain.

    A mark goes with its domain; it is kept so that no notice is repeated.
    """

    async def expired(
        self, domain_id: int, status: RecipientStatus, before: float, limit: int, after: int = 0
    ) -> list[int]:
        """Return the numbers of messages with a recipient in this status since before then.

        Oldest first. A held recipient is so since the message was received, or since one of its
        recipients was refused or held again. A refused recipient is so since that was settled.
        Only numbers above `after` are returned, and rows removed below it cost nothing. A full
        result can leave out mail that came an hour or more after its receipt. That mail is found
        when `after` is 0 again.
        """

    async def expire(
        self,
        domain_id: int,
        numbers: Sequence[int],
        status: RecipientStatus,
        before: float,
        audit: AuditEntry,
    ) -> int:
        """Remove the recipients of these messages that have this status since before then.

        A message with none left is removed. Returns from how many messages a recipient was removed;
        the entry is written if there were any.
        """

    async def waiting_since(self, domain_id: int, status: RecipientStatus) -> float | None:
        """Return since when the first recipient of a domain has this status; None without one.

        Of those held, that of the oldest message counts.
        """

    async def marks(
        self, kind: str, domain_ids: Sequence[int] | None = None
    ) -> Mapping[int, float]:
        """Return the marks of a kind, by domain id: all, or those of some domains."""

    async def keep_mark(self, domain_id: int, kind: str, value: float | None) -> None:
        """Keep a mark in place of the one there was; None forgets it.

        Raises Conflict if the domain no longer exists.
        """
