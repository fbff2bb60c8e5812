"""Failures by user and address block: guessers are stopped, and owners are not locked out."""

import ipaddress

from restante.admin.sign_in_limits import (
    MEMORY_SECONDS,
    MOST_KNOWN,
    OF_BLOCK,
    OF_STEP_UP,
    OF_USER,
    OF_USER_AND_BLOCK,
    SignInLimits,
)
from restante.tenancy.model import IpAddress

ANA = "ana@alpha.example"
HOME = ipaddress.ip_address("192.0.2.7")


class Clock:
    now = 0.0


def limits() -> tuple[SignInLimits, Clock]:
    clock = Clock()
    return SignInLimits(lambda: clock.now), clock


def place(number: int) -> IpAddress:
    return ipaddress.ip_address(f"2001:db8:{number:x}::1")


def test_a_user_from_one_block_has_five_failures() -> None:
    of, clock = limits()
    assert [of.begin(ANA, HOME) for _ in range(OF_USER_AND_BLOCK + 1)] == [True] * 5 + [False]
    assert of.begin("bert@alpha.example", HOME)
    assert of.begin(ANA, place(1))
    clock.now += MEMORY_SECONDS + 1
    assert of.begin(ANA, HOME)


def test_attempts_at_one_moment_count_before_they_end() -> None:
    of, _ = limits()
    begun = [of.begin(ANA, HOME) for _ in range(100)]
    assert sum(begun) == OF_USER_AND_BLOCK


def test_a_block_that_tries_many_users_is_stopped() -> None:
    of, _ = limits()
    begun = [of.begin(f"user{number}@alpha.example", HOME) for number in range(OF_BLOCK + 1)]
    assert begun == [True] * OF_BLOCK + [False]
    mapped = ipaddress.ip_address(f"::ffff:{HOME}")
    assert not of.begin("another@alpha.example", mapped)


def test_a_user_that_is_tried_from_everywhere_is_closed_to_new_places_alone() -> None:
    of, clock = limits()
    assert of.begin(ANA, HOME)
    of.succeeded(ANA, HOME)
    assert [of.begin(ANA, place(number)) for number in range(OF_USER)] == [True] * OF_USER
    assert not of.begin(ANA, place(OF_USER + 1))
    assert of.begin(ANA, HOME)  # has signed in from there
    clock.now += MEMORY_SECONDS + 1
    assert of.begin(ANA, place(OF_USER + 2))


def test_a_place_that_is_known_is_not_without_limit() -> None:
    of, _ = limits()
    of.begin(ANA, HOME)
    of.succeeded(ANA, HOME)
    assert sum(of.begin(ANA, HOME) for _ in range(100)) == OF_USER_AND_BLOCK


def test_a_refused_attempt_prolongs_nothing() -> None:
    of, clock = limits()
    for _ in range(OF_USER_AND_BLOCK):
        of.begin(ANA, HOME)
    clock.now += MEMORY_SECONDS - 1
    assert not of.begin(ANA, HOME)
    clock.now += 2
    assert of.begin(ANA, HOME)


def test_success_forgets_the_users_failures_there_and_no_others() -> None:
    of, _ = limits()
    for _ in range(OF_USER_AND_BLOCK - 1):
        of.begin(ANA, HOME)
    of.begin(ANA, HOME)
    of.succeeded(ANA, HOME)
    assert sum(of.begin(ANA, HOME) for _ in range(9)) == OF_USER_AND_BLOCK
    of.succeeded("bert@alpha.example", HOME)
    assert not of.begin(ANA, HOME)


def test_an_attempt_that_was_not_examined_is_taken_back() -> None:
    of, _ = limits()
    for _ in range(OF_BLOCK * 3):
        assert of.begin(ANA, HOME)
        of.take_back(ANA, HOME)


def test_a_user_who_is_signed_in_counts_alone() -> None:
    of, clock = limits()
    while of.begin(ANA, HOME):
        pass
    assert [of.begin_again(ANA) for _ in range(OF_STEP_UP + 1)] == [True] * 5 + [False]
    assert of.begin_again("bert@alpha.example")
    clock.now += MEMORY_SECONDS + 1
    assert of.begin_again(ANA)
    of.succeeded_again(ANA)
    for _ in range(OF_STEP_UP + 1):
        assert of.begin_again(ANA)
        of.take_back_again(ANA)


def test_memory_is_bounded() -> None:
    of, _ = limits()
    for number in range(MOST_KNOWN + 5):
        of.succeeded(f"user{number}@alpha.example", HOME)
    assert len(of._known) == MOST_KNOWN
