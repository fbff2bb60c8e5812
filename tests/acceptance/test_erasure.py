"""The data of a person is erased, also if the server is killed in the middle of it."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from typing import Final

from tests.acceptance.installation import RESTANTE, Installation
from tests.acceptance.on_both_stores import ON_SQLITE
from tests.acceptance.peers.eventually import eventually

pytestmark = ON_SQLITE

ANNA: Final = "anna@acme.example"
ROWS: Final = 60_000
FILL: Final = """
    WITH RECURSIVE row (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM row LIMIT ?)
    INSERT INTO audit (at, action, actor, subject, account, acted_from, answer, reason)
    SELECT number, 'user-changed', 'user ' || ?, 'x', '', '', '', '' FROM row
"""
COUNT: Final = "SELECT count(*) FROM audit WHERE actor = 'user ' || ?"


def fill(restante: Installation) -> None:
    """Let the trail name a person in many entries."""
    with closing(sqlite3.connect(restante.directory / "data/restante.db")) as database:
        database.execute(FILL, (ROWS, ANNA))
        database.commit()


def named(restante: Installation, who: str) -> int:
    """Return the number of entries by somebody, as of the last commit."""
    place = f"file:{restante.directory / 'data/restante.db'}?mode=ro"
    with closing(sqlite3.connect(place, uri=True)) as database:
        [count] = database.execute(COUNT, (who,)).fetchone()
        return int(count)


def test_a_killed_erasure_goes_on_with_the_same_mark() -> None:
    with Installation() as restante:
        fill(restante)
        restante.start()
        words = ("privacy", "erase", ANNA, "--reason", "asked for")
        with subprocess.Popen(
            [RESTANTE, "--config", restante.config, *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as command:
            eventually(lambda: named(restante, "erased-1") > 0, what="the first entries to change")
            restante.kill()
            assert command.wait() != 0
        assert 0 < named(restante, "erased-1") < ROWS
        restante.start()
        assert restante.shown("audit", "--action", "person-erased") == []
        assert "the address is now erased-1" in restante.do(*words)
        assert (named(restante, "erased-1"), named(restante, ANNA)) == (ROWS, 0)
        [entry] = restante.shown("audit", "--action", "person-erased")
        assert (entry["subject"], ANNA in str(entry)) == ("erased-1", False)
