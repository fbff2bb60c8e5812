"""Questions to the audit trail, on a reading thread."""

import json

import apsw

from restante.store.audit_store import AuditPage, GrantedRequest
from restante.store.sqlite import audit_queries
from restante.store.sqlite.bounded_search import AskConnection, search_within_reach
from restante.store.sqlite.engine import fetch
from restante.store.stored_form.row_type import Row
from restante.store.stored_form.rows import (
    audit_entry,
)
from restante.tenancy.actor import actors_named
from restante.tenancy.audit import AuditFilter


def audit_page(
    connection: apsw.Connection, wanted: AuditFilter, limit: int, before: int | None
) -> AuditPage:
    """Read the newest of the entries wanted that are older than one, newest first."""
    [(first, last)] = fetch(connection, audit_queries.AUDIT_BOUNDS)
    if first is None:
        return AuditPage([], None)
    bounds = first, last if before is None else min(last, before - 1)
    ask = _asking_trail(connection, wanted)
    rows, reached = search_within_reach(connection, bounds, limit + 1, ask, is_down=True)
    page = rows[:limit]
    return AuditPage(
        [audit_entry(row[1:]) for row in page], page[-1][0] if len(rows) > limit else reached
    )


def _asking_trail(connection: apsw.Connection, wanted: AuditFilter) -> AskConnection:
    """Return the question about the entries between two ids."""
    statement = audit_queries.newest_entries(
        by_account=wanted.account is not None, by_domain=wanted.domain is not None
    )
    domains = None if wanted.domains is None else json.dumps(sorted(wanted.domains))
    choice = None if wanted.actor is None else actors_named(wanted.actor)
    actors = {
        "actors": None if choice is None else json.dumps(choice.texts),
        "beginning": "" if choice is None else choice.beginning,
    }
    bindings = wanted._asdict() | {"domains": domains} | actors

    def ask(first: int, last: int, limit: int) -> list[Row]:
        place = {"first": first, "last": last, "limit": limit}
        return fetch(connection, statement, bindings | place)

    return ask


def granted_requests(connection: apsw.Connection, after: int) -> tuple[int, list[GrantedRequest]]:
    """Read the targets requested and granted since an entry; return the newest entry's id too."""
    with connection:
        [(newest,)] = fetch(connection, audit_queries.NEWEST_ENTRY)
        rows = fetch(connection, audit_queries.GRANTED_REQUESTS, (after, newest))
    return newest, [GrantedRequest(*row) for row in rows]
