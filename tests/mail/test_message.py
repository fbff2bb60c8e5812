"""Message numbers only grow, and each has a name for people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.envelope import Envelope
from restante.mail.message import (
    ContentFile,
    HeldMessage,
    MessageNumbers,
    NewMessage,
    message_name,
    message_number,
)

ENVELOPE = Envelope("a@a.example", ("b@b.example",))
NOW = 1_800_000_000.0  # Unix time


def test_numbers_are_the_time_in_microseconds() -> None:
    assert MessageNumbers().next(NOW) == 1_800_000_000_000_000


@given(st.integers(0, 2**62), st.lists(st.floats(0, 4e9)))
def test_numbers_grow_even_if_the_clock_steps_back(last: int, times: list[float]) -> None:
    numbers = MessageNumbers(last)
    given_out = [last, *(numbers.next(now) for now in times)]
    assert given_out == sorted(set(given_out))
    assert numbers.last == given_out[-1]


def test_a_number_that_is_taken_is_passed_over() -> None:
    numbers = MessageNumbers(7)
    numbers.pass_over(9)
    assert numbers.next(0) == 10
    numbers.pass_over(3)
    assert numbers.next(0) == 11


@pytest.mark.parametrize(
    ("number", "name"),
    [(0, "0"), (1, "1"), (31, "z"), (32, "10"), (1_800_000_000_000_000, "1k52wm9h000")],
)
def test_a_number_has_a_name(number: int, name: str) -> None:
    assert message_name(number) == name
    assert message_number(name) == message_number(name.upper()) == number


@given(st.integers(0, 2**63 - 1))
def test_each_name_is_of_one_number(number: int) -> None:
    assert message_number(message_name(number)) == number


@pytest.mark.parametrize("name", ["", "i", "l", "o", "u", "1 2", "-1", "1\n", "ä", "\u212a"])
def test_other_text_is_no_name(name: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  only its kind matters
        message_number(name)


def test_the_size_of_content_includes_its_file() -> None:
    file = ContentFile("x", 1000, 0)
    for kind in (NewMessage, HeldMessage):
        assert kind(1, 1, ENVELOPE, NOW, b"four").size == 4
        assert kind(1, 1, ENVELOPE, NOW, b"four", file).size == 1004
