"""Which domains have metrics of their own, and that the choice seldom changes."""

from hypothesis import given
from hypothesis import strategies as st

from restante.telemetry.domain_choice import DomainChoice

HOSTED = ("a", "b", "c", "d")


def test_all_are_shown_where_there_is_room() -> None:
    assert DomainChoice().choose(HOSTED, {}, None) == {"a", "b", "c", "d"}
    assert DomainChoice().choose(HOSTED, {}, 4) == {"a", "b", "c", "d"}


def test_those_with_the_most_held_mail_are_shown() -> None:
    assert DomainChoice().choose(HOSTED, {"d": 9, "b": 5, "a": 1}, 2) == {"d", "b"}


def test_a_domain_stays_until_another_holds_half_as_much_again() -> None:
    choice = DomainChoice()
    choice.choose(HOSTED, {"d": 9, "b": 10}, 2)
    assert choice.choose(HOSTED, {"d": 9, "b": 10, "a": 13}, 2) == {"d", "b"}
    assert choice.choose(HOSTED, {"d": 9, "b": 10, "a": 14}, 2) == {"a", "b"}


def test_a_domain_whose_mail_has_left_stays_until_another_has_some() -> None:
    choice = DomainChoice()
    choice.choose(HOSTED, {"d": 9}, 1)
    assert choice.choose(HOSTED, {}, 1) == {"d"}
    assert choice.choose(HOSTED, {"c": 1}, 1) == {"c"}


def test_a_removed_domain_leaves_and_its_place_is_taken() -> None:
    choice = DomainChoice()
    choice.choose(HOSTED, {"d": 9, "c": 1}, 1)
    assert choice.choose(("a", "b", "c"), {"d": 9, "c": 1}, 1) == {"c"}


def test_a_lower_limit_keeps_those_with_the_most() -> None:
    choice = DomainChoice()
    choice.choose(HOSTED, {"d": 9, "c": 5, "b": 7}, 3)
    assert choice.choose(HOSTED, {"d": 9, "c": 5, "b": 7}, 1) == {"d"}


@given(
    st.lists(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 99))), st.integers(1, 5)
)
def test_it_is_full_and_nobody_outside_has_far_more(
    moments: list[dict[str, int]], limit: int
) -> None:
    choice = DomainChoice()
    for held in moments:
        shown = choice.choose("abcdef", held, limit)
        assert len(shown) == limit
        assert shown <= set("abcdef")
        least = min(held.get(name, 0) for name in shown)
        assert all(held.get(name, 0) <= 1.5 * least for name in set("abcdef") - shown)
