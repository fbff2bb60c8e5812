"""The rows about servers on PostgreSQL work, and give what their titles say."""

from collections.abc import Iterator

import pytest

from bench.rows import takeover
from bench.rows.first_mail import Filling, HeldRow, first_mail
from bench.rows.takeover import TakeoverRow
from bench.servers import park as park_module
from bench.servers.park import SHARED_ALONE, Park
from tests.postgres_cluster import PostgresCluster


@pytest.fixture
def park(monkeypatch: pytest.MonkeyPatch, postgres_cluster: PostgresCluster) -> Iterator[Park]:
    """All servers, on a database in memory."""
    monkeypatch.setattr(Park, "_cluster", postgres_cluster)
    monkeypatch.setattr(park_module, "SHARED", {SHARED_ALONE: 1})
    with Park() as park:
        yield park


def test_a_takeover_is_timed(park: Park, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takeover, "BETWEEN", 5)
    row = TakeoverRow(park, 1)
    median, worst = (row.run(one, is_first=True).value for one in row.subjects)
    assert 1.0 < median == worst < 60.0  # not before the lease of the dead server ends


def test_the_first_mail_from_a_database_is_timed(park: Park) -> None:
    few = Filling(20, server=SHARED_ALONE)
    more = Filling(30, domains=2, server=SHARED_ALONE)
    row = HeldRow(park, ("first-mail", "first mail", "ms"), first_mail, [few, more])
    assert row.ratios == [(more.text, few.text)]
    for subject in (few.text, more.text, few.text):  # the last one on the database of the first
        assert 0.0 < row.run(subject, is_first=True).value < 60_000.0
    assert park.shared[SHARED_ALONE].held().messages == 0  # the others' databases are put back
