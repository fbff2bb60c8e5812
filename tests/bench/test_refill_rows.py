"""The rows about stores that once held much measure what they say, with a few messages."""

from collections.abc import Iterator

import pytest

from bench.rows.refill import NEW, HeldOctetsRow, RefillRow
from bench.servers.park import Park

FEW = 40


@pytest.fixture
def park() -> Iterator[Park]:
    with Park() as park:
        yield park


def test_the_mail_of_the_filled_store_is_drained_before_the_load(park: Park) -> None:
    row = RefillRow(park, FEW, FEW // 2)
    new, emptied = row.subjects
    assert (new, row.ratios) == (NEW, ((emptied, NEW),))
    assert row.run(emptied, is_first=True).value > 0.0
    octets = HeldOctetsRow(park, row, FEW)
    held, left = (octets.run(subject, is_first=True).value for subject in octets.subjects)
    assert held > 1.0
    assert left > 0.0
