"""The implementations that the contract is tested on."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from restante.store.choice import open_store
from restante.store.interface import Store
from restante.store.object_access import ObjectAccess
from restante.store.sealing.sealed_store import seal_store
from restante.tenancy.sealed_secrets import Vault
from tests.contract.running import directory, loop_kind, pytest_pyfunc_call, runner

if TYPE_CHECKING:
    from tests.postgres_cluster import PostgresCluster

__all__ = ["directory", "loop_kind", "pytest_pyfunc_call", "runner", "store"]


KINDS = ("memory", "sqlite", "postgres")
KEY = bytes(range(32))
WITH_OBJECTS = (*KINDS, "objects")
WITH_SEALED = (*KINDS, "sealed")


@pytest.fixture(params=KINDS)
def implementation(request: pytest.FixtureRequest) -> str:
    """Which store. Some files test `objects` too: large content in an object store.

    And some test `sealed`: SQLite with sealed content. With RESTANTE_SEALED set, all of them are.
    """
    return str(request.param)


@pytest.fixture(scope="session")
def postgres_template(postgres_cluster: "PostgresCluster") -> str:
    """The name of a database with an empty store, of which each test gets a copy."""
    from restante.store.postgres import open_postgres  # noqa: PLC0415  an extra
    from tests.postgres_cluster import ALONE  # noqa: PLC0415  as above

    async def made() -> str:
        name = await postgres_cluster.create()
        await (await open_postgres(postgres_cluster.url(name), ALONE)).close()
        return name

    return asyncio.run(made())


def objects_in(directory: Path) -> ObjectAccess:
    """Return an object store in a directory, for content of a few octets already."""
    directory.mkdir(exist_ok=True)
    return ObjectAccess(f"file://{directory}/objects", directory=directory, smallest=2)


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[str]:
    """The URL of a database with an empty store."""
    cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
    template: str = request.getfixturevalue("postgres_template")
    name = runner.run(cluster.create(template))
    yield cluster.url(name)
    runner.run(cluster.drop(name))


@pytest.fixture
def store(
    request: pytest.FixtureRequest, implementation: str, runner: asyncio.Runner, directory: Path
) -> Iterator[Store]:
    """An empty store."""
    if implementation in ("postgres", "objects"):
        from restante.store.postgres import open_postgres  # noqa: PLC0415  an extra
        from tests.postgres_cluster import ALONE  # noqa: PLC0415  as above

        access = ALONE
        if implementation == "objects" or os.environ.get("RESTANTE_OBJECTS"):
            access = replace(ALONE, objects=objects_in(directory))
        opening = open_postgres(request.getfixturevalue("postgres_url"), access)
        store: Store = runner.run(opening)
    else:
        url = "memory:" if implementation == "memory" else f"sqlite://{directory}"
        store = runner.run(open_store(url))
    if implementation == "sealed" or os.environ.get("RESTANTE_SEALED"):
        sealing = seal_store(store, Vault(KEY), key_file="test.key", seals=True)
        store = runner.run(sealing)
    yield store
    runner.run(store.close())
