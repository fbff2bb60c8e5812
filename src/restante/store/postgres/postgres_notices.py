"""The notices of the store on PostgreSQL."""

from collections.abc import Sequence
from functools import partial

from restante.queue.sending_outcome import Backlog, SendingOutcome
from restante.store.notice_store import PAST_KEPT
from restante.store.postgres import notice_statements, report_changing
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.stored_form.notice_rows import (
    notice,
    notice_row,
    past_notice_of_row,
    past_notice_row,
    quiet,
    quiet_row,
)
from restante.tenancy.notice import NewNotice, Notice, PastNotice, QuietTopic, Topic


class PostgresNotices:
    """A `NoticeStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    async def keep_notices(
        self,
        notices: Sequence[NewNotice],
        quiets: Sequence[QuietTopic],
        over: Sequence[Topic],
        limit: int,
    ) -> int:
        """Store notices and silenced topics; return how many of the oldest were dropped."""
        change = partial(_keep, notices=notices, quiets=quiets, over=over, limit=limit)
        return await self._core.write(change)

    async def quiets(self) -> list[QuietTopic]:
        """Return the topics that are silenced for a while."""
        return [quiet(tuple(row)) for row in await self._core.fetch(notice_statements.QUIETS)]

    async def first_notices(self, limit: int) -> list[Notice]:
        """Return of each channel the notice that is its turn, those due first before others."""
        rows = await self._core.fetch(notice_statements.FIRST, limit)
        return [notice(tuple(row)) for row in rows]

    async def settle_notices(
        self, outcomes: Sequence[SendingOutcome], past: Sequence[PastNotice] = ()
    ) -> None:
        """Record the outcomes of these notices, and keep past ones."""

        async def change(transaction: PostgresTransaction) -> None:
            await report_changing.settle_sending(
                transaction, outcomes, notice_statements.REMOVE, notice_statements.PUT_OFF
            )
            await _keep_past(transaction, past)

        await self._core.write(change)

    async def past_notices(
        self, channel_ids: Sequence[int] | None, before: int | None, limit: int
    ) -> list[PastNotice]:
        """Return past notices, newest first: all, or those of some channels."""
        rows = await self._core.fetch(notice_statements.LIST_PAST, channel_ids, before, limit)
        return [past_notice_of_row(tuple(row)) for row in rows]

    async def hasten_notices(self, at: float, beyond: float) -> None:
        """Have those tried soon that wait for too long."""

        async def change(transaction: PostgresTransaction) -> None:
            await transaction.fetch(notice_statements.HASTEN, at, beyond)

        await self._core.write(change)

    async def list_notices(
        self, limit: int, channel_ids: Sequence[int] | None = None, after: int = 0
    ) -> list[Notice]:
        """Return notices that wait, oldest first: all, or those of some channels."""
        rows = await self._core.fetch(notice_statements.LIST, after, channel_ids, limit)
        return [notice(tuple(row)) for row in rows]

    async def notice_backlog(self) -> Backlog:
        """Return how many notices wait, and since when."""
        [row] = await self._core.fetch(notice_statements.BACKLOG)
        return Backlog(*row)


async def _keep(
    transaction: PostgresTransaction,
    notices: Sequence[NewNotice],
    quiets: Sequence[QuietTopic],
    over: Sequence[Topic],
    limit: int,
) -> int:
    for topic in over:
        await transaction.fetch(notice_statements.REMOVE_QUIET, *topic)
    for one in quiets:
        await transaction.fetch(notice_statements.KEEP_QUIET, *quiet_row(one))
    there = await _present(transaction, [new.channel_id for new in notices])
    for new in notices:
        if new.channel_id in there:
            await transaction.fetch(notice_statements.KEEP, *notice_row(new))
    dropped = 0
    for channel_id in there:
        dropped += await transaction.count(notice_statements.REMOVE_OLDEST, channel_id, limit)
    return dropped


async def _keep_past(transaction: PostgresTransaction, past: Sequence[PastNotice]) -> None:
    there = await _present(transaction, [one.channel_id for one in past])
    for one in past:
        if one.channel_id in there:
            await transaction.fetch(notice_statements.KEEP_PAST, *past_notice_row(one))
            place = (one.channel_id, PAST_KEPT)
            await transaction.fetch(notice_statements.REMOVE_OLDEST_PAST, *place)


async def _present(transaction: PostgresTransaction, channel_ids: Sequence[int]) -> list[int]:
    """Return those of some channels that exist; they do so until the commit."""
    if not channel_ids:
        return []
    rows = await transaction.fetch(notice_statements.HAS_CHANNEL, channel_ids)
    return sorted(channel_id for (channel_id,) in rows)
