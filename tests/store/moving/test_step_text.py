"""A key is the same after it was noted."""

from hypothesis import given
from hypothesis import strategies as st

from restante.store.moving.step_text import key_of_text, key_text

KEYS = st.lists(st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()).map(tuple)


@given(st.none() | KEYS)
def test_a_key_is_read_back(key: tuple[object, ...] | None) -> None:
    assert key_of_text(key_text(key)) == key
