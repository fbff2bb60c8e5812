"""Old rows of failures are removed. The contract is in tests/contract_shared/test_failures.py."""

from restante.store.failure_store import FailureChange
from restante.store.postgres import PostgresStore
from restante.store.postgres.postgres_failures import _TRIMMED_AT_ONCE
from tests.contract_shared.conftest import second

RECENT = [FailureChange("login", b"x", 1)]


async def test_rows_that_are_too_old_go(store: PostgresStore, other: PostgresStore) -> None:
    await second(store, other)
    for _ in range(3):
        await store.failures.tell(RECENT)
    await store.core.fetch(
        "UPDATE failed_login SET told_at = told_at - interval '1 hour' RETURNING 1"
    )
    for _ in range(_TRIMMED_AT_ONCE):
        await store.failures.tell(RECENT)
    [(rows,)] = await store.core.fetch("SELECT count(*) FROM failed_login")
    assert rows == _TRIMMED_AT_ONCE
