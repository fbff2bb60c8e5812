"""The rows about turnarounds work, and tell both ends of the same turnaround."""

from collections.abc import Iterator

import pytest

from bench.rows.turnaround import EXIM, RESTANTE, SOURCE, CustomerRow, TurnaroundRow, Turnarounds
from bench.servers.park import Park


@pytest.fixture
def park() -> Iterator[Park]:
    with Park() as park:
        yield park


def test_a_turnaround_is_measured_at_both_ends(park: Park) -> None:
    turnarounds = Turnarounds(park, {RESTANTE: 3, EXIM: 2, SOURCE: 2})
    speed, customer = TurnaroundRow(turnarounds), CustomerRow(turnarounds)
    for subject in speed.subjects:
        sample = speed.run(subject, is_first=True)
        assert 0.0 < sample.value < 100_000.0
        made = turnarounds.made
        assert customer.run(subject, is_first=True).value > 0.0
        assert turnarounds.made == made, "the customer's figure is of another turnaround"
        assert (sample.memory is None) == (subject == SOURCE)
