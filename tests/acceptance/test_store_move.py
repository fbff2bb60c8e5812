"""Mail that was taken on SQLite is delivered from PostgreSQL, and the other way round."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.installation import ALPHA, Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.mailbox import content_below
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.sample import DIFFICULT, MARKER, send

if TYPE_CHECKING:
    from tests.postgres_cluster import PostgresCluster

DOMAIN = "alpha.example"
EX_CONFIG = 78


@pytest.fixture
def database(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """The URL of a database without a store."""
    name = asyncio.run(postgres_cluster.create())
    yield postgres_cluster.url(name)
    asyncio.run(postgres_cluster.drop(name))


def uses(restante: Installation, store: str) -> None:
    """Name another store in the configuration."""
    settings = f'store = "{store}"\nstate_dir = "data"\nrpo = "accept-loss"\n'
    if store.startswith("sqlite"):
        settings = f'store = "{store}"\n'
    lines = [
        line
        for line in restante.config.read_text().splitlines(keepends=True)
        if not line.startswith(("store =", "state_dir =", "rpo ="))
    ]
    restante.config.write_text("".join([settings, *lines]))


def refuses_to_serve(restante: Installation, store: str, other: str) -> None:
    """See that no server starts on a store that was moved."""
    uses(restante, store)
    ended = restante.run("serve")
    assert (ended.returncode, f"was moved to {other}" in ended.stderr) == (EX_CONFIG, True)


def sends_all(restante: Installation) -> None:
    for content in DIFFICULT:
        assert send(restante.mx, f"reader@{DOMAIN}", content=content).returncode == 0


def drains_all(restante: Installation, primary: SmtpSink, times: int) -> None:
    """Have all held mail delivered, and compare it with the mail that was sent."""
    assert restante.etrn(DOMAIN, login=ALPHA).returncode == 0
    eventually(lambda: restante.held(DOMAIN) == 0, what="all mail to leave")
    taken = sorted(content_below(raw, MARKER) for raw in primary.messages())
    assert taken == sorted(DIFFICULT * times)


def test_mail_is_delivered_from_the_store_that_it_was_moved_to(database: str) -> None:
    with SmtpSink(keep_content=True) as primary, Installation() as restante:
        primary.start()
        restante.start()
        restante.hosts(DOMAIN, at(primary))
        sends_all(restante)
        sqlite = f"sqlite://{restante.directory}/data"
        refused = restante.run("store", "move", "--from", sqlite, "--to", database)
        assert refused.returncode == 69
        assert "is in use by process" in refused.stderr
        restante.stop()
        uses(restante, database)
        moved = restante.shown("store", "move", "--from", sqlite, "--to", database)
        assert (moved["messages"], moved["damaged"]) == (len(DIFFICULT), [])

        refuses_to_serve(restante, sqlite, database)
        uses(restante, database)
        restante.start()
        assert restante.held(DOMAIN) == len(DIFFICULT)
        drains_all(restante, primary, 1)
        sends_all(restante)
        restante.stop()

        back = f"sqlite://{restante.directory}/back"
        restante.do("store", "move", "--from", database, "--to", back)
        refuses_to_serve(restante, database, back)
        uses(restante, back)
        restante.start()
        drains_all(restante, primary, 2)
        moves = [entry for entry in restante.shown("audit") if entry["action"] == "store-moved"]
        assert [entry["reason"].split(":")[0] for entry in moves] == [
            "from postgresql",
            "from sqlite",
        ]
