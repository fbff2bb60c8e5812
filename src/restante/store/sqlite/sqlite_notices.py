"""The part of the store that keeps notices."""

from collections.abc import Sequence
from functools import partial

from restante.queue.sending_outcome import Backlog, SendingOutcome
from restante.store.sqlite import (
    mail_reading,
    notice_changes,
    notice_queries,
    sending_outcome_changes,
)
from restante.store.sqlite.engine import fetch
from restante.store.sqlite.past_notice_table import keep_past, past_notices
from restante.store.sqlite.store_core import StoreCore
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.stored_form.notice_rows import notice, quiet
from restante.tenancy.notice import NewNotice, Notice, PastNotice, QuietTopic, Topic


class SqliteNotices:
    """A `NoticeStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    async def keep_notices(
        self,
        notices: Sequence[NewNotice],
        quiets: Sequence[QuietTopic],
        over: Sequence[Topic],
        limit: int,
    ) -> int:
        """Store notices and what is told no more for a while."""
        change = partial(
            notice_changes.keep_notices, notices=notices, quiets=quiets, over=over, limit=limit
        )
        gone: int = await self._core.write(change)
        return gone

    async def quiets(self) -> list[QuietTopic]:
        """Return what is told no more for a while."""
        return [
            quiet(row) for row in await self._core.read(partial(fetch, query=notice_queries.QUIETS))
        ]

    async def first_notices(self, limit: int) -> list[Notice]:
        """Return of each channel the notice that is its turn."""
        rows = await self._core.read(
            partial(fetch, query=notice_queries.FIRST_NOTICES, bindings=(limit,))
        )
        return [notice(row) for row in rows]

    async def settle_notices(
        self, outcomes: Sequence[SendingOutcome], past: Sequence[PastNotice] = ()
    ) -> None:
        """Record the outcomes of some, and keep past ones."""
        await self._core.write(partial(_settle, outcomes=outcomes, past=past))

    async def past_notices(
        self, channel_ids: Sequence[int] | None, before: int | None, limit: int
    ) -> list[PastNotice]:
        """Return past notices, newest first."""
        return await self._core.read(
            partial(past_notices, channel_ids=channel_ids, before=before, limit=limit)
        )

    async def hasten_notices(self, at: float, beyond: float) -> None:
        """Have those tried soon that wait for too long."""
        await self._core.write(partial(notice_changes.hasten_notices, at=at, beyond=beyond))

    async def list_notices(
        self, limit: int, channel_ids: Sequence[int] | None = None, after: int = 0
    ) -> list[Notice]:
        """Return notices that wait, oldest first."""
        return await self._core.read(
            partial(mail_reading.notices, limit=limit, channel_ids=channel_ids, after=after)
        )

    async def notice_backlog(self) -> Backlog:
        """Return how many wait, and since when."""
        return await self._core.read(
            partial(mail_reading.backlog, query=notice_queries.NOTICE_BACKLOG)
        )


def _settle(
    transaction: WriteTransaction,
    outcomes: Sequence[SendingOutcome],
    past: Sequence[PastNotice],
) -> None:
    sending_outcome_changes.settle_sending(
        transaction,
        outcomes,
        remove=notice_queries.REMOVE_NOTICE,
        put_off=notice_queries.PUT_NOTICE_OFF,
    )
    keep_past(transaction, past)
