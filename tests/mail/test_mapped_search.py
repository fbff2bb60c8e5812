"""A match at the end of a window is found as it would be in one piece."""

import re

import pytest

from restante.mail import mapped_search
from restante.mail.mapped_search import find, keep, search

MARK = b"From x\n"


@pytest.mark.parametrize("place", range(20))
def test_a_text_is_found_wherever_it_stands(monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    monkeypatch.setattr(mapped_search, "WINDOW", 8)
    monkeypatch.setattr(mapped_search, "OVERLAP", len(MARK))
    data = b"." * place + b"\n\n" + MARK + b"." * 5
    found = search(re.compile(rb"(?<=\n\n)From [^\n]*\n"), data, 0, keep)
    assert found is not None
    assert found.span() == (place + 2, place + 2 + len(MARK))
    assert find(data, MARK, 0, keep) == place + 2
    assert find(data, MARK, place + 3, keep) == -1
    assert search(re.compile(rb"From y"), data, 0, keep) is None
