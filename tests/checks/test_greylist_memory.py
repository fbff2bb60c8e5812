"""Mail that comes again passes; the memory is bounded, and strangers push nobody out."""

from hypothesis import given
from hypothesis import strategies as st

from restante.checks.greylist_memory import (
    DELAY,
    MOST_OF_ACCOUNT,
    MOST_OF_NETWORK,
    WINDOW,
    GreylistMemory,
)


def test_mail_passes_when_it_comes_again_after_the_delay_within_the_window() -> None:
    memory = GreylistMemory()
    assert not memory.may_pass("alpha", 1, 7, 0.0)
    assert not memory.may_pass("alpha", 1, 7, DELAY - 1), "too soon"
    assert memory.may_pass("alpha", 1, 7, DELAY), "the delay did not begin again"
    assert memory.may_pass("alpha", 1, 7, DELAY + WINDOW - 1), "for another day"
    assert not memory.may_pass("alpha", 1, 7, DELAY + 2 * WINDOW), "its day is over"


def test_other_mail_is_new() -> None:
    memory = GreylistMemory()
    memory.may_pass("alpha", 1, 7, 0.0)
    for account, block, key in (("beta", 1, 7), ("alpha", 2, 7), ("alpha", 1, 8)):
        assert not memory.may_pass(account, block, key, DELAY)


def test_what_has_ended_is_removed() -> None:
    memory = GreylistMemory()
    for block in range(100):
        memory.may_pass("alpha", block, 7, 0.0)
    for call in range(100):
        memory.may_pass("beta", 1, 7, DELAY + WINDOW + call)
    assert memory.size == 1


def test_a_network_takes_the_place_of_its_own_mail_until_some_of_it_came_again() -> None:
    memory = GreylistMemory()
    memory.may_pass("alpha", 2, 0, 0.0)
    for key in range(MOST_OF_NETWORK + 10):
        assert not memory.may_pass("alpha", 1, key, 0.0)
    assert memory.size == MOST_OF_NETWORK + 1
    assert memory.may_pass("alpha", 2, 0, DELAY), "mail of other networks is still known"
    assert not memory.may_pass("alpha", 1, 0, DELAY), "it was forgotten"
    assert memory.may_pass("alpha", 1, MOST_OF_NETWORK, DELAY)
    assert memory.may_pass("alpha", 1, 10_000, DELAY), "the network is one that comes again"


def test_a_full_account_lets_new_mail_pass() -> None:
    memory = GreylistMemory()
    for number in range(MOST_OF_ACCOUNT):
        assert not memory.may_pass("alpha", number, 7, 0.0)
    assert memory.may_pass("alpha", MOST_OF_ACCOUNT, 7, 0.0)
    assert not memory.may_pass("beta", 1, 7, 0.0)


@given(
    calls=st.lists(
        st.tuples(st.sampled_from(["big", "other"]), st.integers(0, 50), st.integers(0, 3)),
        max_size=200,
    )
)
def test_a_flood_of_other_accounts_takes_no_place_of_an_account_with_little(
    calls: list[tuple[str, int, int]],
) -> None:
    memory = GreylistMemory(most=20)
    for number in range(30):
        memory.may_pass("big", number, 0, 0.0)
    assert not memory.may_pass("small", 1, 7, 0.0)
    for account, block, key in calls:
        memory.may_pass(account, block, key, 1.0)
        assert memory.size <= 20
    assert memory.may_pass("small", 1, 7, DELAY)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 90_000))))
def test_the_size_is_that_of_all_mail_that_is_known(steps: list[tuple[int, int, int]]) -> None:
    memory, now = GreylistMemory(most=10), 0.0
    for block, key, seconds in steps:
        now += seconds
        memory.may_pass(f"account{block % 2}", block, key, now)
        networks = [one for each in memory._networks.values() for one in each.values()]
        assert memory.size == sum(len(one.ready_at) for one in networks) <= 10
        assert memory.size == memory._counts.total()
