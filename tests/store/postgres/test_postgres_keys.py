"""No program that cannot open sealed content works beside one that seals, or after it."""

from functools import partial

import pytest

from restante.store.postgres import PostgresStore, cluster_node, open_postgres, postgres_opening
from restante.store.postgres.database_session import open_session
from restante.store.postgres.key_statements import OPENS_SEALED
from restante.store.postgres.schema_upgrade import SCHEMA_FOUND, check_schema
from restante.store.sealing.sealed_store import SealedStore, seal_store
from restante.store.store_errors import StoreMismatched
from restante.tenancy.sealed_secrets import Vault
from tests.contract.making import hosted, message
from tests.postgres_cluster import ALONE

pytestmark = pytest.mark.usefixtures("runner")


async def opened_by_older(url: str, monkeypatch: pytest.MonkeyPatch) -> PostgresStore:
    """Open the store as the last program does that does not know sealed content."""
    with monkeypatch.context() as older:
        known = partial(check_schema, known=OPENS_SEALED - 1)
        older.setattr(postgres_opening, "check_schema", known)
        older.setattr(cluster_node, "__version__", "0.0.9")
        return await open_postgres(url, ALONE)


async def upgraded(url: str) -> None:
    """Have the tables as after `restante store upgrade`, beside servers that are older."""
    session = await open_session(url)
    await session.script("UPDATE restante_schema SET oldest = 1")
    await session.close()


async def sealed(store: PostgresStore) -> SealedStore:
    return await seal_store(store, Vault(bytes(32)), key_file="test.key", seals=True)


async def test_nobody_seals_while_an_older_program_has_the_store(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await upgraded(postgres_url)
    older = await opened_by_older(postgres_url, monkeypatch)
    newer = await open_postgres(postgres_url, ALONE)
    with pytest.raises(StoreMismatched, match=r"another version.*\(0\.0\.9\); upgrade them first"):
        await sealed(newer)
    [(_, oldest, _)] = await newer.core.fetch(SCHEMA_FOUND)
    assert oldest == 1
    await older.close()
    await (await opened_by_older(postgres_url, monkeypatch)).close()  # it may still come back
    await newer.close()


async def test_an_older_program_opens_no_store_that_was_sealed(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await upgraded(postgres_url)
    await (await opened_by_older(postgres_url, monkeypatch)).close()
    store = await sealed(await open_postgres(postgres_url, ALONE))
    id_ = await hosted(store)
    await store.reception.hold([message(1, id_)])
    with pytest.raises(StoreMismatched, match="install a later state of Restante"):
        await opened_by_older(postgres_url, monkeypatch)
    await store.close()
    with pytest.raises(StoreMismatched, match="install a later state of Restante"):
        await opened_by_older(postgres_url, monkeypatch)
