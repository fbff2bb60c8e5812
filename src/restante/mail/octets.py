"""Sizes as people write them: `500`, `64K`, `50M`, `2G`. Pure."""

import re
from typing import Final

_UNITS: Final = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_SIZE: Final = re.compile(r"(\d+) ?([KMGT]?)", re.IGNORECASE)


def read_octets(text: str) -> int:
    """Return how many octets a size is. Raises ValueError."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise ValueError(
            f"{text!r} is not a size; write a number, then K, M, G or T if wanted, such as 10M"
        )
    return int(found[1]) * _UNITS[found[2].upper()]


def octets_text(octets: int) -> str:
    """Return a size in the largest unit that divides it, as `read_octets` takes it."""
    for unit in reversed(_UNITS):
        if octets and not octets % _UNITS[unit]:
            return f"{octets // _UNITS[unit]}{unit}"
    return "0"
