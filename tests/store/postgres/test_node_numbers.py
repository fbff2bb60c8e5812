"""Numbers of several processes: each once, and about in the order of time."""

from restante.mail.message import message_name, message_number
from restante.store.postgres.node_numbers import A_SECOND, NodeNumbers, last_number

NOW = 1_800_000_000.0


def test_two_processes_never_give_the_same_number() -> None:
    first, second = NodeNumbers(1), NodeNumbers(2)
    given = {numbers.next(NOW) for numbers in (first, second) for _ in range(1000)}
    assert len(given) == 2000


def test_numbers_grow_although_the_clock_steps_back() -> None:
    numbers = NodeNumbers(255)
    given = [numbers.next(at) for at in (NOW, NOW, NOW - 3600, NOW + 1)]
    assert given == sorted(set(given))
    assert given[-1] - given[0] == A_SECOND


def test_a_number_that_is_taken_is_passed_over() -> None:
    numbers = NodeNumbers(3)
    numbers.pass_over(int(NOW * A_SECOND) + 7)
    assert numbers.next(NOW) > int(NOW * A_SECOND) + 7


def test_a_number_is_a_name_of_twelve_letters_and_above_those_of_other_stores() -> None:
    number = NodeNumbers(7).next(NOW)
    assert len(message_name(number)) == 12
    assert message_number(message_name(number)) == number
    assert number > NOW * 1_000_000


def test_no_process_gives_a_higher_number_at_a_moment() -> None:
    given = [NodeNumbers(slot).next(NOW) for slot in (1, 255)]
    assert max(given) == last_number(NOW) < NodeNumbers(1).next(NOW + 0.000001)
    assert last_number(float("inf")) == 2**63 - 1
    assert last_number(-1.0) == 255
