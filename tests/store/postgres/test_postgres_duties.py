"""A process that waits for a duty survives an outage of the database."""

from typing import Any

import pytest

from restante.store.postgres import PostgresStore
from restante.store.store_errors import StoreError, StoreUnreachable

pytestmark = pytest.mark.usefixtures("runner")


async def test_a_duty_is_waited_for_while_the_database_is_away(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, failures = store.core.write, [StoreUnreachable("away"), StoreError("a lock took long")]

    async def unreliable(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return await write(*arguments)

    monkeypatch.setattr(store.core, "write", unreliable)
    async with store.duties.perform("reports") as number:
        assert number == 1
    assert not failures


async def test_a_process_whose_place_is_taken_waits_for_no_duty(store: PostgresStore) -> None:
    store.core.node.failure = "another process has the slot of this one in the database"
    with pytest.raises(StoreError, match="has the slot"):
        async with store.duties.perform("reports"):
            pytest.fail("it has no place")
