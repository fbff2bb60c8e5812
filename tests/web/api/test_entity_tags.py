"""Tags of records: the same for equal ones, and another after a change."""

from dataclasses import dataclass, replace

import pytest

from restante.web.api.entity_tags import allows_change, knows, record_tag, shown_tag


@dataclass(frozen=True)
class Kept:
    """A record with a set and a record in it."""

    name: str
    kinds: frozenset[str] = frozenset()
    inner: "Kept | None" = None


def test_the_order_of_a_set_is_no_part_of_a_tag() -> None:
    kinds = [f"kind {number}" for number in range(50)]
    there, back = Kept("a", frozenset(kinds)), Kept("a", frozenset(reversed(kinds)))
    assert record_tag(there) == record_tag(back)


@pytest.mark.parametrize(
    "other",
    [
        Kept("b"),
        Kept("a", frozenset({"x"})),
        Kept("a", frozenset(), Kept("a")),
        replace(Kept("a"), name="a,kinds="),
    ],
)
def test_each_change_makes_another_tag(other: Kept) -> None:
    assert record_tag(other) != record_tag(Kept("a"))
    assert not allows_change(record_tag(other), Kept("a"))


def test_a_change_of_figures_makes_another_tag_that_still_allows_a_change() -> None:
    quiet, busy = shown_tag(Kept("a"), "0 held"), shown_tag(Kept("a"), "9 held")
    assert quiet != busy
    assert not knows(quiet, busy)
    assert allows_change(quiet, Kept("a"))


@pytest.mark.parametrize("header", ["*", '"x", {}', "  {}", '"", {} ,', '{},W/"y"'])
def test_any_tag_of_a_list_counts(header: str) -> None:
    tag = shown_tag(Kept("a"), "")
    assert knows(header.format(tag), tag)
    assert allows_change(header.format(tag), Kept("a"))


def test_a_weak_tag_serves_reading_only() -> None:
    """RFC 9110, section 8.8.3.2: If-Match compares strongly."""
    tag = shown_tag(Kept("a"), "")
    assert knows(f"W/{tag}", tag)
    assert not allows_change(f"W/{tag}", Kept("a"))


@pytest.mark.parametrize(
    "header", ["", '""', "nonsense", '"*-1"x', "{bare}", '"*"', "w/{tag}", "x{tag}"]
)
def test_a_header_without_the_tag_matches_nothing(header: str) -> None:
    tag = shown_tag(Kept("a"), "")
    given = header.format(tag=tag, bare=tag.strip('"'))
    assert not knows(given, tag)
    assert not allows_change(given, Kept("a"))
