"""A digest that tells rows apart, and can be continued."""

from hypothesis import given
from hypothesis import strategies as st

from restante.store.moving.row_digest import EMPTY, ContentDigest, digest_of

VALUES = st.none() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
ROWS = st.lists(st.lists(VALUES, max_size=4).map(tuple), max_size=5)


@given(ROWS, st.integers(0, 5))
def test_it_can_be_continued_at_any_row(rows: list[tuple[object, ...]], place: int) -> None:
    assert digest_of(rows) == digest_of(rows[place:], digest_of(rows[:place]))


@given(ROWS, ROWS)
def test_other_rows_have_another_digest(
    rows: list[tuple[object, ...]], others: list[tuple[object, ...]]
) -> None:
    is_same = repr(rows) == repr(others)  # 1 and 1.0 differ, as they do in a database
    assert (digest_of(rows) == digest_of(others)) is is_same


def test_octets_cannot_pass_for_those_of_a_neighbour() -> None:
    assert digest_of([(b"ab", b"c")]) != digest_of([(b"a", b"bc")])
    assert digest_of([(b"ab",)]) != digest_of([(b"a",), (b"b",)])
    assert digest_of([("a",)]) != digest_of([(b"a",)])


def test_it_stays_the_same_between_versions() -> None:
    """A move that one version began can be proven by the next."""
    assert digest_of([]) == EMPTY
    found = digest_of([(1, 2.5, None, "é", b"\0\xff")])
    assert found.hex() == "444149639f225990eca813570eef8d4f45e50e660280c0781cf54bee80c50099"


def test_content_has_its_size_and_digest() -> None:
    whole, parts = ContentDigest(), ContentDigest()
    whole.add(b"abcdef")
    for part in (b"abc", b"", b"def"):
        parts.add(part)
    assert whole.value == parts.value
    assert whole.value.startswith("6 ")
