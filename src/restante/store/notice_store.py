"""The port of a store for notices.

Part of the contract in interface.py, whose rules hold here.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from restante.queue.sending_outcome import Backlog, SendingOutcome
from restante.tenancy.notice import NewNotice, Notice, PastNotice, QuietTopic, Topic

PAST_KEPT: Final = 200  # of a channel


class NoticeStore(Protocol):
    """Notices that wait to be sent, and topics that were reported recently."""

    async def keep_notices(
        self,
        notices: Sequence[NewNotice],
        quiets: Sequence[QuietTopic],
        over: Sequence[Topic],
        limit: int,
    ) -> int:
        """Store notices, due at once, and silenced topics, and forget the topics that are over.

        For each channel named at most `limit` notices wait afterwards: the oldest are dropped.
        Returns how many were dropped. A notice whose channel no longer exists is skipped.
        """

    async def quiets(self) -> list[QuietTopic]:
        """Return what is told no more for a while."""

    async def first_notices(self, limit: int) -> list[Notice]:
        """Return of each channel the notice that is its turn, those due first before others."""

    async def settle_notices(
        self, outcomes: Sequence[SendingOutcome], past: Sequence[PastNotice] = ()
    ) -> None:
        """Record the outcomes of these notices; one that is not there is skipped.

        Keep past notices, the newest `PAST_KEPT` of each channel that exists.
        """

    async def past_notices(
        self, channel_ids: Sequence[int] | None, before: int | None, limit: int
    ) -> list[PastNotice]:
        """Return past notices, newest first: all, or those of some channels.

        `before` is a number, for paging. A channel takes its past notices with it.
        """

    async def hasten_notices(self, at: float, beyond: float) -> None:
        """Have those tried at `at` whose next attempt is later than `beyond`; both Unix time."""

    async def list_notices(
        self, limit: int, channel_ids: Sequence[int] | None = None, after: int = 0
    ) -> list[Notice]:
        """Return notices that wait, oldest first: all, or those of some channels.

        `after` is a number, for paging.
        """

    async def notice_backlog(self) -> Backlog:
        """Return how many notices wait, and since when; it costs two seeks, whatever the number."""
