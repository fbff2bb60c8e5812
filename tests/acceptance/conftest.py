"""Fixtures for every acceptance test."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.installation import Installation, found
from tests.acceptance.loopback import addresses
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import Primary
from tests.acceptance.sample import SENDER_DOMAIN

if TYPE_CHECKING:
    from tests.postgres_cluster import PostgresCluster


@pytest.fixture(scope="session")
def founded_database(postgres_cluster: PostgresCluster) -> str:
    """The name of a database with the account alpha, of which installations get copies."""
    name = asyncio.run(postgres_cluster.create())
    found(postgres_cluster.url(name))
    return name


@pytest.fixture(scope="module", autouse=True)
def store_kind(request: pytest.FixtureRequest) -> Iterator[str]:
    """The store of installations. A module opts in to "postgres" by ON_BOTH_STORES.

    With RESTANTE_TEST_STORE=postgres all have it, except those that are ON_SQLITE.
    """
    kind = str(getattr(request, "param", os.environ.get("RESTANTE_TEST_STORE", "sqlite")))
    if kind == "sqlite":
        yield kind
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
    template: str = request.getfixturevalue("founded_database")
    Installation.new_database = lambda: cluster.url(asyncio.run(cluster.create(template)))
    try:
        yield kind
    finally:
        Installation.new_database = None


@pytest.fixture(scope="module")
def database(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """The URL of an empty database."""
    name = asyncio.run(postgres_cluster.create())
    yield postgres_cluster.url(name)
    asyncio.run(postgres_cluster.drop(name))


@pytest.fixture(scope="module")
def restante(store_kind: str) -> Iterator[Installation]:
    """An installation with nothing set but its ports, its server running."""
    with Installation() as restante:
        restante.start()
        yield restante


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    """The DNS as the server under test sees it."""
    with NameServer({}) as names:
        yield names


@pytest.fixture
def home(names: NameServer) -> Iterator[Primary]:
    """The mail server of the reverse-path's domain, which only its MX record leads to."""
    [address] = addresses(1)
    with PostfixPrimary(
        [SENDER_DOMAIN], address=address, port=free_port(address), hostname="mx.sender.example"
    ) as home:
        mx = f"mx.{SENDER_DOMAIN}"
        names.records = {
            SENDER_DOMAIN: {"MX": [f"10 {mx}."], "A": ["127.0.0.1"]},
            mx: {"A": [home.address]},
        }
        yield home


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a test that failed what the server said."""
    report = yield
    if report.failed:
        for installation in Installation.open:
            report.sections.append(("the server's log", installation.log_tail()))
    return report
