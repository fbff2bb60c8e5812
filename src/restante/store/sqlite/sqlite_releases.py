"""The releases port of the store on SQLite."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Final

import apsw

from restante.mail.message import NUMBERS_A_SECOND
from restante.store.release_store import (
    PastRelease,
    ReleaseDrain,
    ReleaseFilter,
    ReleaseProgress,
    ReleaseRecord,
)
from restante.store.sqlite import engine, release_changes, release_queries
from restante.store.sqlite.engine import fetch
from restante.store.sqlite.store_core import StoreCore
from restante.store.stored_form.row_type import Row
from restante.store.stored_form.rows import read_drain_ends, read_release, read_release_drain
from restante.tenancy.audit import AuditEntry

_RECORD_COLUMNS: Final = 11  # of a row, before those of its progress


class SqliteReleases:
    """A `ReleaseStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    def next_id(self, now: float) -> int:
        """Return an id of those that messages have too."""
        return self._core.latest.numbers.next(now)

    async def record_release(self, release: ReleaseRecord, audit: AuditEntry) -> None:
        """Keep a request and its entry of the audit trail."""
        await self._core.write(
            partial(release_changes.record_release, release=release, audit=audit)
        )

    async def releases(self, wanted: ReleaseFilter) -> list[PastRelease]:
        """Return the releases that match, the newest first."""
        return await self._core.read(partial(_releases, wanted=wanted))

    async def release_drains(self, release: int, limit: int) -> Sequence[ReleaseDrain]:
        """Return the drains of a release by domain."""
        return await self._core.read(partial(_release_drains, release=release, limit=limit))

    async def trim_releases(self, before: float, limit: int) -> int:
        """Forget the oldest."""
        removed: int = await self._core.write(
            partial(release_changes.trim_releases, before=before, limit=limit)
        )
        return removed


def _releases(connection: apsw.Connection, wanted: ReleaseFilter) -> list[PastRelease]:
    name, domain_id = wanted.domain or (None, None)
    query = release_queries.releases(
        by_ids=wanted.ids is not None,
        by_account=wanted.account is not None,
        by_domain=wanted.domain is not None,
    )
    bindings = {
        "ids": None if wanted.ids is None else json.dumps(wanted.ids),
        "account": wanted.account,
        "domain": name,
        "domain_id": domain_id,
        "first": 0 if wanted.since is None else int(wanted.since * NUMBERS_A_SECOND),
        "since": wanted.since,
        "until": wanted.until,
        "before": wanted.before,
        "limit": wanted.limit,
    }
    with engine.time_limit(connection, engine.SEARCH_SECONDS):
        return [_past_release(row) for row in fetch(connection, query, bindings)]


def _past_release(row: Row) -> PastRelease:
    record, progress = row[:_RECORD_COLUMNS], row[_RECORD_COLUMNS:]
    drains, is_open, delivered, refused, uncertain, left, ended_at, ends = progress
    return PastRelease(
        read_release(record),
        ReleaseProgress(
            drains=drains,
            open=is_open,
            delivered=delivered,
            refused=refused,
            uncertain=uncertain,
            left=left,
            ended_at=None if is_open else ended_at,
            ends=read_drain_ends(json.loads(ends)),
        ),
    )


def _release_drains(connection: apsw.Connection, release: int, limit: int) -> list[ReleaseDrain]:
    rows = fetch(connection, release_queries.RELEASE_DRAINS, (release, limit))
    return [read_release_drain(row) for row in rows]
