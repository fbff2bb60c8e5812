"""Rows of a check, and the worst of them."""

import pytest

from restante.readiness.readiness_row import (
    ReadinessCheck,
    ReadinessVerdict,
    failed,
    not_known,
    passed,
    warned,
    worst_of,
)

MX = ReadinessCheck.MX
PASS, UNKNOWN = passed(MX, "well"), not_known(MX, "who knows", "look")
WARN, FAIL = warned(MX, "hm", "mend"), failed(MX, "bad", "mend", "line")


@pytest.mark.parametrize(
    ("rows", "worst"),
    [
        ([], ReadinessVerdict.UNKNOWN),
        ([PASS], ReadinessVerdict.PASS),
        ([PASS, UNKNOWN], ReadinessVerdict.UNKNOWN),
        ([WARN, UNKNOWN, PASS], ReadinessVerdict.WARN),
        ([PASS, FAIL, WARN], ReadinessVerdict.FAIL),
    ],
)
def test_the_worst_verdict_is_that_of_all(rows: list[object], worst: ReadinessVerdict) -> None:
    assert worst_of(rows) is worst  # type: ignore[arg-type]


def test_only_a_row_without_a_problem_has_no_remedy() -> None:
    assert not PASS.remedy
    assert all(row.remedy for row in (UNKNOWN, WARN, FAIL))
