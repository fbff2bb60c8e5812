"""The form of an answer that a client asks for."""

import pytest

from restante.web.api.answer_format import asks_for

CSV = "text/csv"


@pytest.mark.parametrize(
    ("accept", "is_asked_for"),
    [
        ("text/csv", True),
        ("Text/CSV; q=0.9", True),
        ("text/csv, */*", True),
        ("text/plain, text/csv", True),
        ("application/json, text/csv", False),
        ("*/*", False),
        ("*/*, text/csv", False),
        ("text/csvx", False),
        ("", False),
    ],
)
def test_the_first_known_type_counts(accept: str, is_asked_for: bool) -> None:
    assert asks_for(CSV, accept) is is_asked_for
