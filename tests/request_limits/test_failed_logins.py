"""Failures that are remembered, delays that grow, and rates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.request_limits import failed_logins
from restante.request_limits.failed_logins import FailureLedger, RateLimit


def test_a_typing_error_costs_nothing_and_delays_grow_up_to_a_bound() -> None:
    ledger = FailureLedger(until_refusal=100, memory=900)
    delays = []
    for second in range(9):
        ledger.failed(["alice"], second)
        delays.append(ledger.delay(["alice"], second))
    assert delays == [0, 0.5, 1, 2, 4, 8, 16, 16, 16]


def test_the_worst_of_the_keys_counts() -> None:
    ledger = FailureLedger(until_refusal=3, memory=900)
    for user in ("alice", "bob", "carol"):
        ledger.failed([user, "block"], 0)
    assert ledger.is_refused(["dave", "block"], 1)
    assert not ledger.is_refused(["alice", "elsewhere"], 1)


def test_failures_are_forgotten_after_a_time_and_on_success() -> None:
    ledger = FailureLedger(until_refusal=2, memory=900)
    ledger.failed(["alice"], 0)
    ledger.failed(["alice"], 1)
    assert ledger.is_refused(["alice"], 900)
    assert not ledger.is_refused(["alice"], 902)
    ledger.failed(["bob"], 0)
    ledger.succeeded(["bob"])
    assert ledger.failures("bob", 1) == 0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed_logins, "MOST_KEPT", 1000)
    ledger = FailureLedger(until_refusal=2, memory=900)
    for number in range(1010):
        ledger.failed([number], 0)
    assert ledger.failures(0, 0) == 0
    assert ledger.failures(1009, 0) == 1


def test_so_many_in_a_minute_and_no_more() -> None:
    rate = RateLimit(per_minute=3)
    assert [rate.allows("a", 0) for _ in range(4)] == [True, True, True, False]
    assert rate.allows("b", 0)
    assert not rate.allows("a", 19)
    assert rate.allows("a", 39.5)


@given(st.lists(st.floats(min_value=0, max_value=20), max_size=60))
def test_no_minute_sees_more_than_twice_the_rate(pauses: list[float]) -> None:
    """A bucket gives at most what it holds and what refills: a burst, then the rate."""
    rate, now, allowed = RateLimit(per_minute=5), 0.0, []
    for pause in pauses:
        now += pause
        if rate.allows("key", now):
            allowed.append(now)
    assert all(sum(at - 60 < other <= at for other in allowed) <= 10 for at in allowed)


def test_a_failure_that_was_none_is_taken_back() -> None:
    ledger = FailureLedger(2, 60.0)
    ledger.failed(("a", "b"), 0.0)
    ledger.failed(("a",), 0.0)
    ledger.take_back(("a", "b", "c"))
    assert [ledger.failures(key, 0.0) for key in "abc"] == [1, 0, 0]
    ledger.take_back(("a",))
    ledger.take_back(("a",))
    assert ledger.failures("a", 0.0) == 0


def test_changes_are_what_was_counted_since_it_was_taken() -> None:
    ledger = FailureLedger(until_refusal=9, memory=900)
    ledger.failed(["before"], 0)
    assert ledger.take_changes() == {}
    ledger = FailureLedger(until_refusal=9, memory=900)
    ledger.keep_changes()
    ledger.failed(["alice", "block"], 0)
    ledger.failed(["alice"], 0)
    ledger.take_back(["alice"])
    assert list(ledger.take_changes().values()) == [(1, False), (1, False)]
    assert ledger.take_changes() == {}
    ledger.take_back(["block"])
    ledger.succeeded(["alice"])
    ledger.failed(["alice"], 0)
    assert sorted(ledger.take_changes().values()) == [(-1, False), (1, True)]


def test_failures_elsewhere_are_as_those_here() -> None:
    here, there = (FailureLedger(until_refusal=3, memory=900) for _ in range(2))
    here.keep_changes()
    here.failed(["alice"], 10)
    here.failed(["alice"], 10)
    for digest, (failures, was_forgotten) in here.take_changes().items():
        there.count_elsewhere(digest, failures, 10, was_forgotten=was_forgotten)
    there.failed(["alice"], 11)
    assert there.is_refused(["alice"], 12)
    here.succeeded(["alice"])
    for digest, (failures, was_forgotten) in here.take_changes().items():
        there.count_elsewhere(digest, failures, 13, was_forgotten=was_forgotten)
    assert there.failures("alice", 13) == 0


@pytest.mark.parametrize(("servers", "each"), [(1, 6), (2, 3), (3, 2), (60, 1)])
def test_a_rate_is_divided_by_the_servers_and_is_one_at_least(servers: int, each: int) -> None:
    rate = RateLimit(6, lambda: servers)
    assert sum(rate.allows("a", 0.0) for _ in range(20)) == each
    assert not rate.allows("a", 60.0 * servers / 6 - 0.5)
    assert rate.allows("a", 2 * 60.0 * servers / 6)


def test_a_server_that_joins_or_leaves_changes_the_rate_at_once() -> None:
    servers = [1]
    rate = RateLimit(60, lambda: servers[0])
    servers[0] = 2
    assert sum(rate.allows("a", 0.0) for _ in range(100)) == 30
    servers[0] = 1
    assert sum(rate.allows("a", 10.0) for _ in range(100)) == 10


def test_the_seconds_until_one_more_is_within_the_limit() -> None:
    rate = RateLimit(per_minute=6)
    assert rate.seconds_left("a", 0.0) == 0.0
    for _ in range(6):
        assert rate.allows("a", 0.0)
    assert rate.seconds_left("a", 0.0) == 10.0
    assert rate.seconds_left("a", 4.0) == 6.0
    assert not rate.allows("a", 9.9)
    assert rate.allows("a", 10.0)
    assert RateLimit(per_minute=0).seconds_left("a", 0.0) == 60.0
