"""Replies that differ in names alone are of one kind."""

import time

import pytest

from restante.queue.reply_kind import kind_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("550 5.7.1 <a@x.example> unknown", "550 5.7.1 <b@x.example> unknown"),
        ("550 5.7.1 no mail for a@x.example", "550 5.7.1 no mail for long.name@x.example"),
        ("550 5.7.1 rejected 4fGh12Qw9z", "550 5.7.1 rejected 8kLm34Er2y"),
        ("550-5.7.1 Blocked 192.0.2.1", "550 5.7.1 blocked 198.51.100.7"),
    ],
    ids=["address", "bare address", "queue id", "client"],
)
def test_replies_that_differ_in_names_are_of_one_kind(one: str, other: str) -> None:
    assert kind_of(one) == kind_of(other)


def test_other_replies_are_not() -> None:
    assert kind_of("550 5.7.1 rate limit") != kind_of("550 5.1.1 unknown")


def test_a_long_reply_without_an_address_takes_little_time() -> None:
    started = time.process_time()
    kind_of("550 " + "a" * 100_000)
    kind_of("550 " + "a" * 50_000 + "@")
    assert time.process_time() - started < 20  # a pattern that goes back takes hours
