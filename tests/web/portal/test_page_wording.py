"""Times and amounts as people say them."""

from datetime import UTC, datetime

import pytest

from restante.web.portal.page_wording import (
    address_pieces,
    clock,
    counted_thing,
    day,
    short_octets,
    short_span,
    span_in_words,
)

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (40, "40 s"),
        (90, "90 s"),
        (3600, "1 h"),
        (5400, "90 min"),
        (18000, "5 h"),
    ],
)
def test_span(seconds: float, text: str) -> None:
    assert short_span(seconds) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (1_048_500, "1 MiB"),
        (10 * 2**30, "10 GiB"),
        (88 * 2**20, "88 MiB"),
    ],
)
def test_octets(amount: int, text: str) -> None:
    assert short_octets(amount) == text


def test_moments() -> None:
    assert clock(datetime(2026, 11, 28, 3, 12, tzinfo=UTC), NOW) == "03:12"
    assert clock(datetime(2026, 11, 27, 3, 12, tzinfo=UTC), NOW) == "yesterday 03:12"
    assert clock(datetime(2026, 11, 1, 3, 12, tzinfo=UTC), NOW) == "1 Nov 03:12"
    assert clock(datetime(2025, 11, 1, 3, 12, tzinfo=UTC), NOW) == "1 Nov 2025 03:12"
    assert day(datetime(2026, 11, 27, 23, 0, tzinfo=UTC), NOW) == "yesterday"


def test_words() -> None:
    assert span_in_words(30 * 86400) == "30 days"
    assert span_in_words(86400) == "1 day"
    assert span_in_words(5400) == "1.5 hours"
    assert counted_thing(1, "message") == "1 message"
    assert counted_thing(1204, "message") == "1,204 messages"


@pytest.mark.parametrize(
    "path",
    ["anna@alpha.example", "bounces+123-anna=alpha.example@mail4.sender-of-news.example", "a" * 90],
)
def test_an_address_is_broken_between_its_words_only(path: str) -> None:
    pieces = address_pieces(path)
    assert "".join(pieces) == path
    assert len(pieces) == (10 if "+" in path else 1)
    assert len(pieces) == 1 or all(piece.rstrip("@.=+_-").isalnum() for piece in pieces)
