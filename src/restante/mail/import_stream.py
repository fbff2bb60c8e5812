"""The stream in which messages travel between the command line and the API.

Its media type is `application/x-restante-mail`.

    item   := label LF *( length LF octets ) end
    label  := a JSON object on one line: the envelope, and other facts about the message
    length := octets that follow, in hexadecimal; never 0
    end    := "0" LF            the content is whole
            / "!" reason LF     it is not, and the part that came must be discarded

A stream that is cut off is known by its last item, which has no end.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from restante.mail.foreign_json import read_foreign_json

MAX_LABEL: Final = 4 * 1024 * 1024  # octets; a thousand recipients with long replies need less
WHOLE: Final = b"0\n"


@dataclass(frozen=True, slots=True)
class StreamLabel:
    """An item begins."""

    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """An item ends; `failure` is "" if its content is whole."""

    failure: str


StreamPiece = StreamLabel | bytes | StreamEnd


def pack_label(text: str) -> bytes:
    """Begin an item; the text is JSON without line ends."""
    return text.encode() + b"\n"


def pack_block(block: bytes) -> bytes:
    """Spell a piece of content. Nothing is nothing."""
    return b"%x\n%b" % (len(block), block) if block else b""


def pack_failure(reason: str) -> bytes:
    """End an item whose content is not whole."""
    return b"!" + " ".join(reason.split()).encode("utf-8", "replace") + b"\n"


class StreamUnpacker:
    """Takes a stream in whatever pieces it comes, and gives what is in it.

    Raises ValueError for octets that are no item.
    """

    def __init__(self) -> None:
        self._waiting = b""  # a line that is not whole yet
        self._owed = 0  # octets of the block we are in
        self._is_inside = False  # an item has begun and not ended

    def receive(self, data: bytes) -> Iterator[StreamPiece]:
        """Yield what is complete with these octets."""
        place = 0
        data, self._waiting = self._waiting + data, b""
        while place < len(data):
            if self._owed:
                block = data[place : place + self._owed]
                place += len(block)
                self._owed -= len(block)
                yield block
                continue
            end = data.find(b"\n", place)
            if end < 0:
                self._keep(data[place:])
                return
            piece = self._read_line(data[place:end])
            place = end + 1
            if piece is not None:
                yield piece

    def close(self) -> None:
        """Raise ValueError if the stream was cut off."""
        if self._is_inside or self._waiting:
            raise ValueError("the stream ends within a message")

    def _keep(self, line: bytes) -> None:
        if len(line) > MAX_LABEL:
            raise ValueError(f"a label is longer than {MAX_LABEL} octets")
        self._waiting = line

    def _read_line(self, line: bytes) -> StreamLabel | StreamEnd | None:
        if not self._is_inside:
            return self._begin(line)
        if line.startswith(b"!"):
            return self._end(line[1:].decode("utf-8", "replace") or "no reason given")
        self._owed = int(line, 16)
        if self._owed < 0:
            raise ValueError("a block has a negative length")
        return None if self._owed else self._end("")

    def _begin(self, line: bytes) -> StreamLabel:
        facts = read_foreign_json(line)
        if not isinstance(facts, dict):
            raise ValueError("a label is no JSON object")  # noqa: TRY004  the octets are wrong
        self._is_inside = True
        return StreamLabel(facts)

    def _end(self, failure: str) -> StreamEnd:
        self._is_inside = False
        return StreamEnd(failure)
