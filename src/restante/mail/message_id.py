"""The Message-ID of content (RFC 5322 §3.6.4), as far as people need it to find a message."""

import re
from typing import Final

from restante.mail.received_field import HEADER_OCTETS

MESSAGE_ID_LIMIT: Final = 500  # characters; a longer one is cut

_NAME: Final = b"message-id"
_NEXT_NAME: Final = b"\r\n" + _NAME
_FIELD: Final = re.compile(rb"message-id[ \t]*:((?:[^\r\n]+|\r\n[ \t])*)", re.IGNORECASE)
_SPACES: Final = re.compile(r"\s+")
_UNPRINTABLE: Final = "\N{REPLACEMENT CHARACTER}"


def message_id_of(content: bytes) -> str | None:
    """Return the first Message-ID of content, of which this is the beginning at least.

    It is unfolded, printable, and at most MESSAGE_ID_LIMIT characters long. A stranger wrote it, so
    it proves nothing. None where the header has none that is not empty.
    """
    if content.startswith(b"\r\n"):
        return None  # an empty header
    end = content.find(b"\r\n\r\n", 0, HEADER_OCTETS)
    header = content[: end if end >= 0 else HEADER_OCTETS]
    lowered = header.lower()
    place = 0 if lowered.startswith(_NAME) else lowered.find(_NEXT_NAME) + 2
    while place != 1:  # found
        field = _FIELD.match(header, place)
        if field is not None:
            return _printable(field[1]) or None
        place = lowered.find(_NEXT_NAME, place) + 2
    return None


def whole_id(text: str | None) -> str | None:
    """Return a Message-ID as fields spell it: people copy it with and without brackets."""
    if text is None:
        return None
    return text if text.startswith("<") else f"<{text}>"


class MessageIdSearch:
    """Looks for the Message-ID in content that comes in blocks; keeps no more than a header."""

    __slots__ = ("_beginning", "_found", "_is_over")

    def __init__(self) -> None:
        self._beginning = bytearray()
        self._is_over = False  # the header is
        self._found: str | None = None

    def take(self, block: bytes) -> None:
        """Take the next block."""
        if self._is_over:
            return
        seen = max(0, len(self._beginning) - 3)
        self._beginning += block[: HEADER_OCTETS - len(self._beginning)]
        if len(self._beginning) == HEADER_OCTETS or self._beginning.find(b"\r\n\r\n", seen) >= 0:
            self._found = self.found
            self._beginning.clear()
            self._is_over = True

    @property
    def found(self) -> str | None:
        """The Message-ID of the content so far."""
        return self._found if self._is_over else message_id_of(bytes(self._beginning))


def _printable(value: bytes) -> str:
    text = value[: 4 * MESSAGE_ID_LIMIT].decode("utf-8", "replace").strip()
    if not text.isprintable():  # a line end, a tab, or a character that no field may have
        text = "".join(
            letter if letter.isprintable() else _UNPRINTABLE for letter in _unfolded(text)
        )
    return text[:MESSAGE_ID_LIMIT]


def _unfolded(text: str) -> str:
    return _SPACES.sub(" ", text)
