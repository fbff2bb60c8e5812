"""The history of a real server stays within its room and its days, and mail is not kept waiting."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from functools import partial
from threading import Event, Thread
from typing import Final, Self

from tests.acceptance.installation import Installation, at
from tests.acceptance.on_both_stores import ON_SQLITE
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.sample import message, send

pytestmark = ON_SQLITE

DOMAIN: Final = "alpha.example"
ROOM: Final = 1 << 20  # octets, the least that can be set
SLICE: Final = 2000  # entries in one transaction
ENTRIES: Final = 400_000  # so that removing them takes seconds, and is seen
STEP: Final = 4.5  # seconds between two entries: about 21 days in all
DAY: Final = 86400.0
FILL: Final = """
    WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted LIMIT ?)
    INSERT INTO history (at, outcome, domain_id, number, received_at, octets, drain, reverse_path,
        forward_path, client, message_id, reply)
    SELECT ? - (? - n) * ?, 1, (SELECT id FROM domain), n, 1.0, 4096, 1, 'sender@b.example',
        'anna@alpha.example', '192.0.2.1', '<' || n || '@b.example>', '250 2.0.0 queued'
    FROM counted
"""
HOURS: Final = """
    INSERT INTO history_hour SELECT min(id), CAST(at / 3600 AS INTEGER) FROM history
    GROUP BY CAST(at / 3600 AS INTEGER)
"""
FIGURES: Final = """
    SELECT count(*), min(number), max(number), min(at),
        sum(60 + length(reverse_path) + length(forward_path) + length(client)
            + length(message_id) + length(reply))
    FROM history WHERE number <= ?
"""


OLDEST: Final = "SELECT number FROM history ORDER BY id LIMIT 1"


class OldestEntries(Thread):
    """Looks again and again for the oldest entry of `fill`, until the block ends."""

    def __init__(self, restante: Installation) -> None:
        super().__init__()
        self._place = restante.directory / "data/restante.db"
        self._is_over = Event()
        self.numbers: set[int] = set()

    def run(self) -> None:
        """Collect the numbers of all that were the oldest."""
        with closing(sqlite3.connect(f"file:{self._place}?mode=ro", uri=True)) as database:
            while not self._is_over.is_set():
                self.numbers.add(database.execute(OLDEST).fetchone()[0])

    def __enter__(self) -> Self:
        """Begin."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._is_over.set()
        self.join()


def fill(restante: Installation, now: float) -> None:
    """Let the history have many entries. The newest is from now."""
    with closing(sqlite3.connect(restante.directory / "data/restante.db")) as database:
        database.execute("DELETE FROM history_hour")
        database.execute(FILL, (ENTRIES, now, ENTRIES, STEP))
        database.execute(HOURS)
        database.commit()


def figures(restante: Installation) -> tuple[int, int, int, float, int]:
    """Return count, oldest, newest, time of the oldest, and octets of the entries of `fill`."""
    place = f"file:{restante.directory / 'data/restante.db'}?mode=ro"
    with closing(sqlite3.connect(place, uri=True)) as database:
        found: tuple[int, int, int, float, int] = database.execute(FIGURES, (ENTRIES,)).fetchone()
        return found


def test_above_its_room_the_oldest_go_in_slices_and_mail_comes_in_between() -> None:
    with Installation(more=f"[history]\noctets = {ROOM}\n") as restante:
        restante.hosts(DOMAIN, "127.0.0.1:9")
        fill(restante, time.time())
        sent = 0
        with OldestEntries(restante) as seen:
            restante.start()
            while not restante.events("history-trimmed"):
                send(restante.mx, f"anna@{DOMAIN}", content=message("meanwhile"))
                sent += 1
        left, oldest, newest, _, octets = figures(restante)
        assert octets <= ROOM < octets * 1.05, "as much is kept as there is room for"
        assert (newest, newest - oldest + 1) == (ENTRIES, left), "the oldest went"
        [told] = restante.events("history-trimmed")
        assert (told["entries"], told["octets"]) == (ENTRIES - left, ROOM)
        between = seen.numbers - {1, oldest}
        assert len(between) > 10, "it went step by step"
        assert {(one - 1) % SLICE for one in between} == {0}, "whole slices alone are seen"
        assert sent > 1, "mail was taken between two slices"
        assert restante.held(DOMAIN) == sent


def test_days_end_entries_and_requests_to_release_mail() -> None:
    with Installation() as restante, SmtpSink() as sink:
        restante.hosts(DOMAIN, at(sink))
        now = time.time()
        fill(restante, now)
        restante.ahead(0.0)
        restante.start()
        restante.do("release", DOMAIN)
        assert len(restante.shown("drain", "list", "--past")) == 1
        assert figures(restante)[0] == ENTRIES

        restante.stop()
        restante.ahead(20 * DAY)  # the first ten days of them are over
        restante.start()
        expected = int(ENTRIES - (30 - 20) * DAY / STEP)
        eventually(
            lambda: abs(figures(restante)[1] - expected) < SLICE / 20, what="the oldest to go"
        )
        left, oldest, newest, first_at, _ = figures(restante)
        assert (newest, newest - oldest + 1) == (ENTRIES, left)
        assert first_at >= now - 10 * DAY

        for days, requests in ((399, 1), (401, 0)):
            restante.stop()
            restante.ahead(days * DAY)
            restante.start()
            eventually(lambda: figures(restante)[0] == 0, what="the history to end")
            eventually(partial(has_requests, restante, requests), what="the requests to be swept")


def has_requests(restante: Installation, count: int) -> bool:
    """Tell whether so many requests to release mail are known."""
    return len(restante.shown("drain", "list", "--past")) == count
