"""The runner of all targets: the time is divided, and a target without a run is no success."""

from pathlib import Path

import pytest

from tests.fuzz.run_all import fuzz, shares
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_the_time_is_shared_out_to_every_target(jobs: int) -> None:
    shared = shares(150, jobs)
    assert shared.keys() == set(TARGETS)
    assert list(shared.values()) == sorted(
        shared.values(), reverse=True
    )  # the long ones first, or they end last
    assert 150 * jobs - len(TARGETS) <= sum(shared.values()) <= 150 * jobs


def test_however_short_the_time_every_target_has_some() -> None:
    assert set(shares(1, 1).values()) == {1}


def test_a_target_that_cannot_be_run_is_no_success(tmp_path: Path) -> None:
    report = fuzz("no-such-target", 1, tmp_path)
    assert not report.is_good
    assert report.executions == 0
