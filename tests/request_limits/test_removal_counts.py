"""Removals of a user within five minutes add up."""

import pytest

from restante.request_limits import removal_counts
from restante.request_limits.removal_counts import MEMORY, RemovalCounts


def test_removals_add_up_until_five_minutes_are_over() -> None:
    counts = RemovalCounts()
    counts.add("anna", 60, 0.0)
    counts.add("anna", 30, 200.0)
    counts.add("bert", 5, 200.0)
    assert [counts.count("anna", at) for at in (200.0, MEMORY, 200.0 + MEMORY)] == [90, 30, 0]
    assert counts.count("bert", 201.0) == 5
    assert counts.count("carl", 201.0) == 0


def test_the_oldest_user_is_forgotten_when_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(removal_counts, "MOST_USERS", 1)
    counts = RemovalCounts()
    counts.add("anna", 1, 0.0)
    counts.add("bert", 1, 0.0)
    assert (counts.count("anna", 0.0), counts.count("bert", 0.0)) == (0, 1)
