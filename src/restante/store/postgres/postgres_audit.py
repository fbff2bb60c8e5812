"""The audit trail of the store on PostgreSQL. No statement here changes or removes an entry."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from restante.store.audit_store import AuditPage, GrantedRequest
from restante.store.postgres.audit_writing import record
from restante.store.postgres.database_session import DatabaseSession, PostgresRow
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.slice_search import AskDatabase, search
from restante.store.stored_form.rows import audit_entry
from restante.tenancy.actor import actors_named
from restante.tenancy.audit import EVERY_ENTRY, AuditEntry, AuditFilter

_ENTRIES: Final = """
    SELECT id, at, action, actor, subject, account, acted_from, answer, reason, domain, changes,
        result
    FROM audit
    WHERE id BETWEEN $1 AND $2 AND ($4::text IS NULL OR account = $4)
        AND ($5::text IS NULL OR domain = $5) AND ($6::text IS NULL OR action = $6)
        AND ($7::text[] IS NULL OR actor = ANY($7)
            OR left(actor, length($12::text)) = $12)
        AND ($8::float8 IS NULL OR at >= $8) AND ($9::float8 IS NULL OR at < $9)
        AND ($10::text[] IS NULL OR domain = ANY($10))
        AND ($11::text IS NULL OR strpos(' ' || subject || ' ', ' ' || $11 || ' ') > 0)
        {place}
    ORDER BY id DESC LIMIT $3
"""
_OF_DOMAIN: Final = _ENTRIES.format(place="AND domain = $5")
_OF_ACCOUNT: Final = _ENTRIES.format(place="AND account = $4")
_OF_ALL: Final = _ENTRIES.format(place="")
_BOUNDS: Final = "SELECT (SELECT min(id) FROM audit), (SELECT max(id) FROM audit)"
_NEWEST: Final = "SELECT coalesce(max(id), 0) FROM audit"
_GRANTED: Final = """
    SELECT lower(subject) AS target, account, max(at) FROM audit
    WHERE id > $1 AND id <= $2 AND result IN ('granted', 'nothing-held')
    GROUP BY target, account
"""
# An entry with a lower id can be committed after one with a higher: such ones are read again.
_READ_AGAIN: Final = 1000


class PostgresAudit:
    """An `AuditStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core
        self._requests: dict[tuple[str, str], GrantedRequest] = {}
        self._requests_until = 0  # the entry of the trail up to which they were read

    async def record(self, entries: Sequence[AuditEntry]) -> None:
        """Append."""
        await self._core.write(partial(record, entries=entries))

    async def audit(self, wanted: AuditFilter = EVERY_ENTRY, limit: int = 100) -> list[AuditEntry]:
        """Return the newest entries, newest first."""
        page = await self.audit_page(wanted, limit)
        found = page.entries
        while page.before is not None and len(found) < limit:
            page = await self.audit_page(wanted, limit - len(found), page.before)
            found += page.entries
        return found

    async def audit_page(
        self, wanted: AuditFilter, limit: int, before: int | None = None
    ) -> AuditPage:
        """Return the newest of the entries wanted, or the next older ones."""
        question = partial(_page, wanted=wanted, limit=limit, before=before)
        return await self._core.read(question)

    async def last_requests(self) -> Sequence[GrantedRequest]:
        """Return when each target was last requested with success; only new entries are read."""
        newest, requests = await self._core.read(
            partial(_granted, after=max(0, self._requests_until - _READ_AGAIN))
        )
        for request in requests:
            key = (request.target, request.account)
            known = self._requests.get(key)
            if known is None or known.at < request.at:
                self._requests[key] = request
        self._requests_until = max(newest, self._requests_until)
        return [self._requests[key] for key in sorted(self._requests)]


async def _page(
    session: DatabaseSession, wanted: AuditFilter, limit: int, before: int | None
) -> AuditPage:
    [(first, last)] = await session.fetch(_BOUNDS)
    if first is None:
        return AuditPage([], None)
    bounds = first, last if before is None else min(last, before - 1)
    ask = _asking(session, wanted)
    rows, reached = await search(session, bounds, limit + 1, ask, is_down=True)
    page = rows[:limit]
    entries = [audit_entry(tuple(row[1:])) for row in page]
    return AuditPage(entries, page[-1][0] if len(rows) > limit else reached)


def _asking(session: DatabaseSession, wanted: AuditFilter) -> AskDatabase:
    """Return the question about the entries between two ids."""
    statement = _OF_ALL if wanted.account is None else _OF_ACCOUNT
    if wanted.domain is not None:
        statement = _OF_DOMAIN
    choice = None if wanted.actor is None else actors_named(wanted.actor)
    values: tuple[Any, ...] = (
        wanted.account,
        wanted.domain,
        wanted.action,
        None if choice is None else list(choice.texts),
        wanted.since,
        wanted.until,
        None if wanted.domains is None else sorted(wanted.domains),
        wanted.names,
        "" if choice is None else choice.beginning,
    )

    async def ask(first: int, last: int, limit: int) -> list[PostgresRow]:
        return await session.fetch(statement, first, last, limit, *values)

    return ask


async def _granted(session: DatabaseSession, after: int) -> tuple[int, list[GrantedRequest]]:
    [(newest,)] = await session.fetch(_NEWEST)
    rows = await session.fetch(_GRANTED, after, newest)
    return newest, [GrantedRequest(*row) for row in rows]
