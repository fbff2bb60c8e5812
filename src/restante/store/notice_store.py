"""What a store promises of notices and of where they go.

Part of the contract in interface.py, whose rules hold here.
"""

from collections.abc import Sequence
from typing import Protocol

from restante.queue.sending_outcome import Backlog, SendingOutcome
from restante.tenancy.audit import AuditEntry
from restante.tenancy.notice import Channel, NewNotice, Notice, Quiet, Topic


class NoticeStore(Protocol):
    """Notices on their way, and what was told of late."""

    async def put_channel(self, channel: Channel, audit: AuditEntry) -> Channel:
        """Add a channel (id 0), or replace the one that has its account, name and id; return it with its id.

        Part of the operator's records. What waits for a channel that is replaced stays in its
        order, and is due at the time of the audit entry, if not before: the way may be free now.
        Raises Conflict if the account has another of that name, or is gone, or has not the one to
        be replaced.
        """

    async def remove_channel(self, channel_id: int, audit: AuditEntry) -> None:
        """Remove it and the notices that wait for it. Removing what is not there is no change."""

    async def keep_notices(
        self,
        notices: Sequence[NewNotice],
        quiets: Sequence[Quiet],
        over: Sequence[Topic],
        limit: int,
    ) -> int:
        """Store notices, due at once, with what is told no more for a while, and forget the topics that are over.

        Of each channel named at most `limit` notices wait afterwards: the oldest go. Returns how
        many went. A notice whose channel is gone is passed over.
        """

    async def quiets(self) -> list[Quiet]:
        """Return what is told no more for a while."""

    async def first_notices(self, limit: int) -> list[Notice]:
        """Return of each channel the notice that is its turn, those due first before others."""

    async def settle_notices(self, outcomes: Sequence[SendingOutcome]) -> None:
        """Record what became of these notices; one that is not there is passed over."""

    async def list_notices(
        self, limit: int, channel_ids: Sequence[int] | None = None, after: int = 0
    ) -> list[Notice]:
        """Return notices that wait, oldest first: all, or those of some channels.

        `after` is a number, for paging.
        """

    async def notice_backlog(self) -> Backlog:
        """Return how many notices wait, and since when: at the cost of two seeks, however many there are."""
