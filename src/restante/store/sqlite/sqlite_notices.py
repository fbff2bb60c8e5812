"""The part of the store that keeps notices and where they go."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import apsw

from restante.queue.sending_outcome import Backlog, SendingOutcome
from restante.store.sqlite import notice_changes, queries, reading, sending_changes
from restante.store.sqlite.engine import fetch
from restante.store.sqlite.notice_rows import notice, quiet
from restante.store.sqlite.write_transaction import Change
from restante.tenancy.audit import AuditEntry
from restante.tenancy.notice import Channel, NewNotice, Notice, Quiet, Topic

_Answer = TypeVar("_Answer")


class SqliteNotices:
    """A `NoticeStore` on what the whole store has: a writer and readers."""

    @abstractmethod
    async def _write(self, change: Change) -> Any:
        """Make a change."""

    @abstractmethod
    async def _read(self, question: Callable[[apsw.Connection], _Answer]) -> _Answer:
        """Ask something."""

    async def put_channel(self, channel: Channel, audit: AuditEntry) -> Channel:
        """Add or replace a channel, and return it with its id."""
        stored: Channel = await self._write(
            partial(notice_changes.put_channel, channel=channel, audit=audit)
        )
        return stored

    async def remove_channel(self, channel_id: int, audit: AuditEntry) -> None:
        """Remove it and the notices that wait for it."""
        await self._write(
            partial(notice_changes.remove_channel, channel_id=channel_id, audit=audit)
        )

    async def keep_notices(
        self,
        notices: Sequence[NewNotice],
        quiets: Sequence[Quiet],
        over: Sequence[Topic],
        limit: int,
    ) -> int:
        """Store notices and what is told no more for a while."""
        change = partial(
            notice_changes.keep_notices, notices=notices, quiets=quiets, over=over, limit=limit
        )
        gone: int = await self._write(change)
        return gone

    async def quiets(self) -> list[Quiet]:
        """Return what is told no more for a while."""
        return [quiet(row) for row in await self._read(partial(fetch, query=queries.QUIETS))]

    async def first_notices(self, limit: int) -> list[Notice]:
        """Return of each channel the notice that is its turn."""
        rows = await self._read(partial(fetch, query=queries.FIRST_NOTICES, bindings=(limit,)))
        return [notice(row) for row in rows]

    async def settle_notices(self, outcomes: Sequence[SendingOutcome]) -> None:
        """Record the outcomes of some."""
        change = partial(
            sending_changes.settle, remove=queries.REMOVE_NOTICE, put_off=queries.PUT_NOTICE_OFF
        )
        await self._write(partial(change, outcomes=outcomes))

    async def list_notices(
        self, limit: int, channel_ids: Sequence[int] | None = None, after: int = 0
    ) -> list[Notice]:
        """Return notices that wait, oldest first."""
        return await self._read(
            partial(reading.notices, limit=limit, channel_ids=channel_ids, after=after)
        )

    async def notice_backlog(self) -> Backlog:
        """Return how many wait, and since when."""
        return await self._read(partial(reading.backlog, query=queries.NOTICE_BACKLOG))
