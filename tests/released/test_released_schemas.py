"""Each schema that a checkout or a release has had: today's program opens it, and its mail leaves.

The fixtures were recorded by the programs that had these schemas. CONTRIBUTING.md says how the
present one is recorded.
"""

import asyncio
from pathlib import Path
from typing import Any

import apsw
import pytest

from restante.admin.store_maintenance import KeyToTry, check_store
from restante.config.key_file import read_key
from restante.store.interface import Store
from restante.store.postgres import PostgresCare, open_postgres
from restante.store.postgres.database_session import open_session
from restante.store.postgres.postgres_schema import VERSION
from restante.store.sealing.sealed_store import seal_store
from restante.store.sqlite import migrations, open_sqlite
from restante.store.sqlite.engine import fetch
from restante.store.sqlite.sqlite_care import SqliteCare
from restante.tenancy.principal import COMMAND_LINE, Principal, Role
from restante.tenancy.sealed_secrets import Vault
from tests.actors import actor_named
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.delivery.world import World, is_idle, until
from tests.postgres_cluster import ALONE, PostgresCluster
from tests.released.fixtures import (
    LARGE,
    SMALL,
    recorded,
    schema_of,
    statements,
    write_files,
    write_sqlite,
)

OPERATOR = Principal(Role.OPERATOR, actor_named("operator"), COMMAND_LINE)
NEWEST = len(migrations.MIGRATIONS)
OBJECTS = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name"


@pytest.mark.parametrize("fixture", recorded("sqlite"), ids=lambda path: path.stem)
def test_a_store_on_sqlite_of_each_schema_is_upgraded_and_its_mail_leaves(
    fixture: Path, tmp_path: Path
) -> None:
    write_sqlite(fixture, tmp_path)
    data, vault = tmp_path / "data", Vault(read_key(tmp_path / "restante.key"))
    care = SqliteCare(data)
    plan = care.plan_upgrade()
    schemas = [step.schema for step in plan.steps]
    assert schemas == list(range(schema_of(fixture) + 1, NEWEST + 1))
    assert (plan.messages, plan.copy is None) == (2, not schemas)

    async def main() -> None:
        await _hand_over(await open_sqlite(data), vault)

    def check() -> None:
        key = KeyToTry(vault, "restante.key")
        found = check_store(OPERATOR, care, lambda *_: None, key)
        assert (found.findings, found.schema_version) == ([], NEWEST)

    async def open_and_close() -> None:
        await (await open_sqlite(data)).close()

    asyncio.run(open_and_close())
    check()
    asyncio.run(main())
    check()


@pytest.mark.parametrize("fixture", recorded("postgres"), ids=lambda path: path.stem)
def test_a_store_on_postgresql_of_each_schema_is_upgraded_and_its_mail_leaves(
    fixture: Path, tmp_path: Path, postgres_cluster: PostgresCluster
) -> None:
    write_files(fixture, tmp_path)
    name = asyncio.run(postgres_cluster.create())
    url = postgres_cluster.url(name)

    async def fill() -> None:
        session = await open_session(url)
        await session.script(statements(fixture))
        await session.close()

    async def main() -> None:
        vault = Vault(read_key(tmp_path / "restante.key"))
        await _hand_over(await open_postgres(url, ALONE), vault)

    asyncio.run(fill())
    care = PostgresCare(url, ALONE)
    schemas = [step.schema for step in care.plan_upgrade().steps]
    assert schemas == list(range(schema_of(fixture) + 1, VERSION + 1))
    assert care.upgrade().after == VERSION
    asyncio.run(main())
    asyncio.run(postgres_cluster.drop(name))


async def _hand_over(opened: Store, vault: Vault) -> None:
    """Hand the two messages of a fixture to a primary."""
    store: Any = await seal_store(opened, vault, key_file="restante.key", seals=True)
    world = World(store=store, vault=vault)
    await world.directory.refresh()
    async with ScriptedPrimary() as primary:
        domain = await world.host(primary.port, "alpha.example")
        async with world.dispatcher() as dispatcher:
            await dispatcher.start(domain, "test")
            await until(lambda: is_idle(dispatcher), 10_000_000)
    found = sorted((taken.content for taken in primary.taken), key=len)
    for content, sent in zip(found, (SMALL, LARGE), strict=True):
        assert content.endswith(sent.replace("\n", "\r\n").encode())
    assert await world.waiting() == []
    await store.close()


def test_the_present_schema_is_recorded_as_a_new_store_has_it(tmp_path: Path) -> None:
    """After a step was added or edited, run `make schema-fixture`."""
    newest = recorded("sqlite")[-1]
    assert schema_of(newest) == NEWEST
    write_sqlite(newest, tmp_path)
    made, new = apsw.Connection(str(tmp_path / "data" / "restante.db")), apsw.Connection(":memory:")
    migrations.migrate(new)
    assert fetch(made, OBJECTS) == fetch(new, OBJECTS)
    made.close()
    assert schema_of(recorded("postgres")[-1]) == VERSION
