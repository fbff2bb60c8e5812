"""The releases of the store on PostgreSQL. SQLite's release_queries.py has the idea of openers."""

# ruff: noqa: S608  what is joined here are constants; every value is bound

from collections.abc import Sequence
from dataclasses import astuple
from functools import partial
from typing import Final

from restante.store.postgres.audit_writing import record
from restante.store.postgres.database_session import DatabaseSession, PostgresRow
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.postgres.slice_search import SEARCH_SECONDS, time_limit
from restante.store.release_store import (
    PastRelease,
    ReleaseDrain,
    ReleaseFilter,
    ReleaseProgress,
    ReleaseRecord,
)
from restante.store.stored_form.rows import read_drain_ends, read_release, read_release_drain
from restante.tenancy.audit import AuditEntry

_RECORD_COLUMNS: Final = 11  # of a row, before those of its progress
_RECORD: Final = """
    INSERT INTO release (
        id, at, actor, acted_from, target, account, domain, result, reason, pending, way
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ON CONFLICT (id) DO UPDATE SET
        at = excluded.at, actor = excluded.actor, acted_from = excluded.acted_from,
        target = excluded.target, account = excluded.account, domain = excluded.domain,
        result = excluded.result, reason = excluded.reason, pending = excluded.pending,
        way = excluded.way
"""
# Beside a release's own row for a drain, the row that counts.
_COUNTED: Final = """
    LEFT JOIN release_drain AS counted
    ON counted.release = own.opener AND counted.domain_id = own.domain_id
"""
_IS_OPEN: Final = "counted.release IS NOT NULL AND counted.ended_at IS NULL"


def _since_joined(count: str) -> str:
    return (
        f"coalesce(counted.{count}, own.{count})"
        f" - CASE WHEN own.opener = own.release THEN 0 ELSE own.{count} END"
    )


_COUNTS: Final = ("delivered", "refused", "uncertain")
_SUMS: Final = ", ".join(
    f"coalesce(sum({_since_joined(one)}), 0)::bigint AS {one}" for one in _COUNTS
)
_RELEASES: Final = f"""
    WITH wanted AS MATERIALIZED (
        SELECT id, at, actor, acted_from, target, account, domain, result, reason, pending, way
        FROM release
        WHERE ($1::bigint[] IS NULL OR id = ANY($1)) AND ($2::text IS NULL OR account = $2)
            AND ($3::text IS NULL OR domain = $3 OR id IN (
                SELECT release FROM release_drain WHERE domain_id = $4::integer
            ))
            AND ($5::float8 IS NULL OR at >= $5) AND ($6::float8 IS NULL OR at < $6)
            AND ($7::bigint IS NULL OR id < $7)
        ORDER BY id DESC LIMIT $8
    ), sums AS (
        SELECT own.release, count(*) AS drains, count(*) FILTER (WHERE {_IS_OPEN}) AS open,
            {_SUMS},
            coalesce(sum(counted.held), 0)::bigint AS held, max(counted.ended_at) AS ended_at,
            array_agg(DISTINCT counted.ending) FILTER (WHERE counted.ending <> '') AS ends
        FROM release_drain AS own {_COUNTED}
        WHERE own.release IN (SELECT id FROM wanted) GROUP BY own.release
    )
    SELECT wanted.*, coalesce(drains, 0), coalesce(open, 0), coalesce(delivered, 0),
        coalesce(refused, 0), coalesce(uncertain, 0), coalesce(held, 0), ended_at, ends
    FROM wanted LEFT JOIN sums ON sums.release = wanted.id ORDER BY wanted.id DESC
"""
_DRAINS: Final = f"""
    SELECT own.domain_id, {", ".join(_since_joined(count) for count in _COUNTS)},
        coalesce(counted.held, 0),
        CASE WHEN {_IS_OPEN} THEN NULL ELSE coalesce(counted.ended_at, 0) END,
        coalesce(counted.ending, '')
    FROM release_drain AS own {_COUNTED} WHERE own.release = $1 ORDER BY own.domain_id LIMIT $2
"""
_TRIM: Final = """
    DELETE FROM release WHERE id IN (
        SELECT id FROM release WHERE at < $1 AND NOT EXISTS (
            SELECT 1 FROM release_drain WHERE release_drain.release = release.id
        )
        ORDER BY at LIMIT $2
    )
    RETURNING id
"""
_TRIM_DRAINS: Final = """
    DELETE FROM release_drain WHERE (release, domain_id) IN (
        SELECT release, domain_id FROM release_drain
        WHERE release IN (SELECT id FROM release WHERE at < $1 ORDER BY at LIMIT $2)
        ORDER BY release, domain_id LIMIT $2
    )
    RETURNING release
"""


class PostgresReleases:
    """A `ReleaseStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    def next_id(self, now: float) -> int:
        """Return an id of those that messages have too."""
        return self._core.mirror.numbers.next(now)

    async def record_release(self, release: ReleaseRecord, audit: AuditEntry) -> None:
        """Keep a request and its entry of the audit trail."""

        async def change(transaction: PostgresTransaction) -> None:
            await record(transaction, [audit])
            await transaction.fetch(_RECORD, *astuple(release))

        await self._core.write(change)

    async def releases(self, wanted: ReleaseFilter) -> list[PastRelease]:
        """Return the releases that match, the newest first."""
        return await self._core.read(partial(_read, wanted=wanted))

    async def release_drains(self, release: int, limit: int) -> Sequence[ReleaseDrain]:
        """Return the drains of a release by domain."""
        return [read_release_drain(row) for row in await self._core.fetch(_DRAINS, release, limit)]

    async def trim_releases(self, before: float, limit: int) -> int:
        """Forget the oldest."""

        async def change(transaction: PostgresTransaction) -> int:
            removed = await transaction.count(_TRIM_DRAINS, before, limit)
            if removed < limit:
                removed += await transaction.count(_TRIM, before, limit - removed)
            return removed

        return await self._core.write(change)


async def _read(session: DatabaseSession, wanted: ReleaseFilter) -> list[PastRelease]:
    name, domain_id = wanted.domain or (None, None)
    values = (wanted.ids, wanted.account, name, domain_id, wanted.since, wanted.until)
    async with time_limit(session, SEARCH_SECONDS):
        rows = await session.fetch(_RELEASES, *values, wanted.before, wanted.limit)
    return [_past_release(row) for row in rows]


def _past_release(row: PostgresRow) -> PastRelease:
    drains, is_open, delivered, refused, uncertain, left, ended_at, ends = row[_RECORD_COLUMNS:]
    return PastRelease(
        read_release(row[:_RECORD_COLUMNS]),
        ReleaseProgress(
            drains=drains,
            open=is_open,
            delivered=delivered,
            refused=refused,
            uncertain=uncertain,
            left=left,
            ended_at=None if is_open else ended_at,
            ends=read_drain_ends(ends or ()),
        ),
    )
