"""The way of an entry of the history."""

import pytest

from restante.queue.drain_word import DrainWay
from restante.queue.history import recorded_way


@pytest.mark.parametrize(
    ("drain", "release", "recorded", "way"),
    [
        (0, 0, None, None),  # no drain moved it
        (7, 0, None, DrainWay.DESTINATION),  # each turnaround has a release
        (7, 9, "destination", DrainWay.DESTINATION),
        (7, 9, "turnaround", DrainWay.TURNAROUND),
        (7, 9, None, None),  # the release is forgotten
    ],
)
def test_the_way_is_that_of_the_release(
    drain: int, release: int, recorded: str | None, way: DrainWay | None
) -> None:
    assert recorded_way(drain, release, recorded) is way
