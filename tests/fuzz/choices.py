"""An input of the fuzzer: octets that decide, and octets that are read.

The first octet says how many of the next ones decide. The first few of them are settings, used
once. The others say where a stream is cut and how an event is answered, and are used repeatedly.
The rest is the stream, so that a seed is a dialogue that a person can read.
"""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

_LENGTHS: Final = (0, 1 << 16, 1, 2, 3, 7, 100, 2000)  # of pieces; 0: one line


class Choices:
    """Decisions by octets, used over and over; without any, always the first possibility."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets or b"\0"
        self._place = 0

    def below(self, limit: int) -> int:
        """Return a number from 0 up."""
        octet = self._octets[self._place % len(self._octets)]
        self._place += 1
        return octet % limit

    def flag(self) -> bool:
        return self.below(2) == 1

    def one_of(self, values: Sequence[T]) -> T:
        return values[self.below(len(values))]


def read_input(data: bytes, settings: int) -> tuple[Choices, bytes, bytes]:
    """Split an input into so many settings, the octets of further decisions, and the stream."""
    count = data[0] if data else 0
    deciding, stream = data[1 : 1 + count], data[1 + count :]
    return Choices(deciding[:settings].ljust(settings, b"\0")), deciding[settings:], stream


def pieces(stream: bytes, choices: Choices) -> Iterator[bytes]:
    """Cut a stream: now after a line, now into single octets, now into large pieces."""
    place = 0
    while place < len(stream):
        length = choices.one_of(_LENGTHS)
        end = place + length if length else (stream.find(b"\n", place) + 1 or len(stream))
        yield stream[place:end]
        place = end
