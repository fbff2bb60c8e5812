"""The times of the warnings before the end of mail."""

import pytest

from restante.queue.retention_warnings import OVER, warning_due
from restante.tenancy.policy import DAY


@pytest.mark.parametrize(
    ("left", "due"),
    [
        (30, None),
        (7.01, None),
        (7, 7),
        (3.5, 7),
        (3, 3),
        (1.01, 3),
        (1, 1),
        (0.01, 1),
        (0, 0),
        (-5, 0),
    ],
)
def test_the_narrowest_step_that_has_been_reached(left: float, due: float | None) -> None:
    step = warning_due(since=0.0, retention=30 * DAY, now=(30 - left) * DAY)
    assert step == (None if due is None else due * DAY)


@pytest.mark.parametrize(
    ("retention", "left", "due"),
    [(7, 7, None), (7, 5, None), (7, 3, 3), (1, 0.5, None), (1, 0, OVER)],
)
def test_no_warning_comes_with_the_mail_itself(
    retention: float, left: float, due: float | None
) -> None:
    step = warning_due(since=0.0, retention=retention * DAY, now=(retention - left) * DAY)
    assert step == (None if due is None else due * DAY)
