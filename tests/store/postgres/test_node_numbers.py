"""Numbers of several processes: each once, and about in the order of time."""

from restante.mail.message import message_name, message_number
from restante.store.postgres.node_numbers import A_SECOND, NodeNumbers

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
