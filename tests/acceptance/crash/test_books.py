"""The comparison finds mail in a false name, and mail that nobody named."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest

from tests.acceptance.crash.books import ALPHA, BETA, Books, Key, Piece, unnamed

OURS: Final = b"Received: from sender.example\r\n"


@pytest.mark.parametrize(
    ("came_from", "told", "complaint"),
    [
        ("203.0.113.1", "203.0.113.1", ""),
        ("203.0.113.1", None, ""),  # this destination is not told
        ("", "", ""),
        ("203.0.113.1", "203.0.113.2", "went in the name of 203.0.113.2"),
        ("203.0.113.1", "", "went in the name of nobody"),
        ("", "203.0.113.1", "went in the name of 203.0.113.1"),
    ],
)
def test_the_client_that_is_told_is_compared(
    came_from: str, told: str | None, complaint: str
) -> None:
    books = Books(1)
    sending = books.new(200, came_from)
    domain = next(sending.parts()).domain
    to = tuple(path for path in sending.to if path.endswith(f"@{domain}"))
    _, wrong = books.key_of(Piece(to, OURS + sending.content, told))
    assert complaint in wrong
    assert bool(wrong) is bool(complaint)


def test_mail_that_left_without_a_name_is_found() -> None:
    first, second, third = Key("t1", ALPHA), Key("t2", ALPHA), Key("t1", BETA)
    before = Counter({first: 1})
    taken = Counter({first: 1, second: 1, third: 1})
    assert unnamed(taken, before, [second, third]) == []
    [complaint] = unnamed(taken, before, [second])
    assert "t1" in complaint
    assert BETA in complaint
    assert unnamed(taken + Counter({first: 1}), before, [second, third])
