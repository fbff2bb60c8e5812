"""Entries of the audit trail, written in the transaction of a change."""

from collections.abc import Sequence
from typing import Final

from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.stored_form.rows import audit_row, storable
from restante.tenancy.audit import AuditEntry

_RECORD: Final = """
    INSERT INTO audit (
        at, action, actor, subject, account, acted_from, answer, reason, domain, changes, result
    )
    SELECT at, action, actor, subject, account, acted_from, answer, reason, domain, changes, result
    FROM unnest(
        $1::float8[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::text[], $9::text[], $10::text[], $11::text[]
    ) WITH ORDINALITY AS new (
        at, action, actor, subject, account, acted_from, answer, reason, domain, changes,
        result, place
    )
    ORDER BY place
"""


async def record(transaction: PostgresTransaction, entries: Sequence[AuditEntry]) -> None:
    """Append to the audit trail."""
    if entries:
        rows = [(at, *map(storable, texts)) for at, *texts in map(audit_row, entries)]
        await transaction.fetch(_RECORD, *map(list, zip(*rows, strict=True)))
