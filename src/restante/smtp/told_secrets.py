"""The secrets that a server was told in a session, recognized where its replies repeat them. Pure.

Servers repeat commands that they do not understand: whole or cut short, in other letters or in hex.
They do so in any reply, not only in the one to AUTH. People read replies, and the log keeps them.
"""

import base64
from typing import Final
from urllib.parse import quote

_TELLTALE: Final = 8  # characters of a response in base64: fewer may stand there by chance


class ToldSecrets:
    """Empty until a login is used; it then grows with every response."""

    __slots__ = ("_spellings",)

    def __init__(self, *secrets: bytes) -> None:
        """A secret is a whole text, such as a password, that may stand anywhere in a reply."""
        self._spellings: set[bytes] = set()
        for secret in secrets:
            self._add(secret)
            self._add(quote(secret, safe="").encode())
            self.add_response(secret)

    def add_response(self, octets: bytes) -> None:
        """Add octets that are sent in base64: their beginning is enough to recognize them."""
        self._add(base64.b64encode(octets)[:_TELLTALE])

    def add_proof(self, text: bytes) -> None:
        """Add a digest or proof that allows guesses at the password."""
        self._add(text[:_TELLTALE])

    def are_in(self, words: bytes) -> bool:
        """Return whether words of the server repeat one, in any case, with or without blanks."""
        if not self._spellings:
            return False
        closed_up = _closed_up(words)
        return any(spelling in closed_up for spelling in self._spellings)

    def _add(self, text: bytes) -> None:
        if spelling := _closed_up(text):
            self._spellings |= {spelling, text.hex().encode()}


def _closed_up(text: bytes) -> bytes:
    return b"".join(text.split()).lower()
