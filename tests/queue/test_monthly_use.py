"""Months and sums of the use of accounts."""

from datetime import UTC, datetime

import pytest

from restante.queue.monthly_use import AccountUse, added_use, month_of, months_before, octet_days


def test_uses_add_up() -> None:
    assert added_use(AccountUse(1, 2, 3, 4.0), AccountUse(10, 20, 30, 0.5)) == AccountUse(
        11, 22, 33, 4.5
    )


def test_stored_octets_are_shown_by_days() -> None:
    assert octet_days(AccountUse(octet_seconds=5 * 86400.0)) == 5.0


def test_a_month_begins_at_midnight_utc() -> None:
    begin = datetime(2026, 12, 1, tzinfo=UTC).timestamp()
    assert month_of(begin) == 202612
    assert month_of(begin - 1) == 202611


@pytest.mark.parametrize(
    ("count", "month"), [(0, 202603), (2, 202601), (3, 202512), (14, 202501), (15, 202412)]
)
def test_months_are_counted_back(count: int, month: int) -> None:
    assert months_before(202603, count) == month
