"""A digest over rows, in their order, that is the same in every kind of store. Pure.

It is a chain: the digest after a row is the SHA-256 of the digest before it and of the row. So it
can be kept beside the rows that were moved, and continued after an interruption.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from restante.store.stored_form.row_type import Row

EMPTY: Final = bytes(32)


def digest_of(rows: Iterable[Row], before: bytes = EMPTY) -> bytes:
    """Continue a chain over rows. Their values are numbers, texts, octets and None."""
    digest = before
    for row in rows:
        chain = sha256(digest)
        # Octets follow the other values; their lengths stand in their places.
        plain = [("octets", len(one)) if isinstance(one, bytes) else one for one in row]
        chain.update(repr(plain).encode())
        for one in row:
            if isinstance(one, bytes):
                chain.update(one)
        digest = chain.digest()
    return digest


class ContentDigest:
    """The digest of large content, in place of the content in its row."""

    def __init__(self) -> None:
        self._hash = sha256()
        self.size = 0

    def add(self, block: bytes) -> None:
        """Take the next octets."""
        self._hash.update(block)
        self.size += len(block)

    @property
    def value(self) -> str:
        """The size and the digest."""
        return f"{self.size} {self._hash.hexdigest()}"
