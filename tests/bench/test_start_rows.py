"""The rows about a start and about listings run the server by an interpreter of its own."""

from collections.abc import Iterator

import pytest

from bench.rows.listings import ListingsRow
from bench.rows.start import StartRow
from bench.servers.park import Park


@pytest.fixture
def park() -> Iterator[Park]:
    with Park() as park:
        yield park


def test_a_start_costs_processor_time(park: Park) -> None:
    row = StartRow(park, starts=1)
    assert row.run("Restante", is_first=True).value > 0.01


def test_the_memory_of_the_server_is_told_after_all_listings(park: Park) -> None:
    row = ListingsRow(park, 3, often=2)
    never, _, often = row.subjects
    assert row.ratios == ((often, "all listed once"),)
    for subject in (never, often):
        assert row.run(subject, is_first=True).value > 20.0  # MiB
