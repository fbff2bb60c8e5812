"""The keys of `top`."""

import pytest

from restante.cli.top_keys import ORDERS, TopControls


def pressed(keys: str) -> TopControls:
    controls = TopControls()
    for key in keys:
        controls.press(key)
    return controls


def test_q_ends_it_but_not_while_a_filter_is_typed() -> None:
    assert pressed("q").is_over
    assert not pressed("/q").is_over
    assert pressed("/q\nq").is_over


def test_s_goes_round_the_orders() -> None:
    assert [pressed("s" * count).order for count in range(len(ORDERS) + 1)] == [*ORDERS, ORDERS[0]]


@pytest.mark.parametrize(
    ("keys", "text", "is_typing"),
    [
        ("/Alpha", "alpha", True),
        ("/alpha\n", "alpha", False),
        ("/alphx\x7fa\n", "alpha", False),
        ("/alpha\x1b", "", False),
        ("/alpha\n\x1b", "", False),
        ("/alpha\n/", "", True),
        ("/\x07a\n", "a", False),
    ],
)
def test_a_filter_is_typed_and_taken_back(keys: str, text: str, is_typing: bool) -> None:
    controls = pressed(keys)
    assert (controls.filter, controls.is_typing) == (text, is_typing)


def test_the_line_says_what_is_set() -> None:
    assert pressed("s/al").line == "sorted by held  filter: al_  q quit  s sort  / filter"
