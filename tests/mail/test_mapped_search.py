"""A match at the end of a window is found as it would be in one piece."""

import re

import pytest

from restante.mail import mapped_search
from restante.mail.mapped_search import find_octets, keep_pages, search_pattern

MARK = b"From x\n"


@pytest.mark.parametrize("place", range(20))
def test_a_text_is_found_wherever_it_stands(monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    monkeypatch.setattr(mapped_search, "WINDOW", 8)
    monkeypatch.setattr(mapped_search, "OVERLAP", len(MARK))
    data = b"." * place + b"\n\n" + MARK + b"." * 5
    found = search_pattern(re.compile(rb"(?<=\n\n)From [^\n]*\n"), data, 0, keep_pages)
    assert found is not None
    assert found.span() == (place + 2, place + 2 + len(MARK))
    assert find_octets(data, MARK, 0, keep_pages) == place + 2
    assert find_octets(data, MARK, place + 3, keep_pages) == -1
    assert search_pattern(re.compile(rb"From y"), data, 0, keep_pages) is None
