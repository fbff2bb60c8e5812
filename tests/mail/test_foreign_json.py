"""JSON that others wrote."""

import pytest

from restante.mail.foreign_json import read_foreign_json


def test_values_are_read() -> None:
    assert read_foreign_json(b'{"a": [1, "x"]}') == {"a": [1, "x"]}


@pytest.mark.parametrize("text", [b"[" * 100_000, '{"a":' * 100_000, b"\xff", "", "{"])
def test_all_else_is_a_fault_of_the_value(text: bytes | str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the texts of json differ
        read_foreign_json(text)
