"""Sizes as people write them."""

import pytest

from restante.mail.octets import octets_text, read_octets


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("0", 0),
        ("500", 500),
        ("64K", 65_536),
        ("64 k", 65_536),
        (" 50M ", 52_428_800),
        ("2G", 2_147_483_648),
        ("1T", 1_099_511_627_776),
    ],
)
def test_a_size_is_read(text: str, octets: int) -> None:
    assert read_octets(text) == octets


@pytest.mark.parametrize("text", ["", "K", "-1", "1.5M", "10MB", "1e3", "1  K", "ten", "1\n2"])
def test_other_text_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size; write a number, then K, M, G or T"):
        read_octets(text)


@pytest.mark.parametrize(
    ("octets", "text"),
    [(0, "0"), (1000, "1000"), (1024, "1K"), (1536, "1536"), (52_428_800, "50M"), (1 << 40, "1T")],
)
def test_a_size_is_written_as_it_is_read(octets: int, text: str) -> None:
    assert octets_text(octets) == text
    assert read_octets(text) == octets
