"""An object with a name twice is no object."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.unique_json import NameTwice, read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"a": 1, "a": 1}', "'a'"),
        ('{"a": 1, "b": 2, "\\u0061": 3}', "'a'"),
        ('[{"x": {"b": 1, "b": 2}}]', "'b'"),
        (f'{{"{"n" * 500}": 1, "{"n" * 500}": 2}}', f"'{'n' * 40}'"),
        ('{"\\r\\n": 1, "\\r\\n": 2}', r"'\r\n'"),
    ],
)
def test_a_name_that_is_there_twice_is_told(text: str, name: str) -> None:
    with pytest.raises(NameTwice) as refused:
        read_json(text)
    assert str(refused.value) == f"has the field {name} twice"


@given(VALUES)
def test_everything_else_is_read_as_ever(value: object) -> None:
    assert read_json(json.dumps(value)) == value
    assert read_json(json.dumps(value).encode()) == value


def test_a_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="Expecting") as refused:
        read_json('{"a": }')
    assert not isinstance(refused.value, NameTwice)
