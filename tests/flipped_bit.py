"""Damage for tests: sealed content is random, so a fixed octet could be the one that is there."""

from pathlib import Path


def flip_a_bit(file: Path, position: int = 0) -> None:
    """Change one bit of the octet at a position."""
    octets = bytearray(file.read_bytes())
    octets[position] ^= 1
    file.write_bytes(octets)
