"""Messages on their way into the store and out of it.

Content is the octets from our own Received field to the end, CRLF line ends throughout. A small
message carries it whole in `head`; a large one carries only the Received field there, and the rest
in a spool file.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from restante.mail.envelope import Envelope
from restante.mail.message_origin import MessageOrigin
from restante.mail.policy_deferrals import NO_DEFERRALS, PolicyDeferrals
from restante.mail.sealed_size import plain_file_octets, plain_head_octets

_ALPHABET = (
    "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no letter that reads as a digit
)
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]  # each number below 1024


class FileSeal(NamedTuple):
    """How a content file is sealed: its key is in the head of this message."""

    key: bytes
    number: int = 0  # of the message; 0: no message has it yet
    domain_id: int = 0


@dataclass(frozen=True, slots=True)
class ContentFile:
    """Content on disk, durable: the store's name for the file, its octets, and their CRC-32.

    The checksum of a sealed file is of its sealed octets, so that it is proven without a key.
    """

    name: str
    size: int
    crc32: int
    seal: FileSeal | None = field(default=None, repr=False, compare=False)  # None within stores


# Where each kind of mail begins in the order of a drain. No number reaches the first of them.
SUSPECT_PLACE: Final = 1 << 60
DEFERRED_PLACE: Final = 1 << 61


class NewMessage(NamedTuple):
    """One hosted domain's part of one received message, ready to be held.

    `number` is unique, and grows about with the time of acceptance.
    """

    number: int
    domain_id: int
    envelope: Envelope
    received_at: float  # Unix time
    head: bytes
    file: ContentFile | None = None
    is_delay_told: bool = False  # the delay was reported to its sender: never twice
    first: int = 0  # number of the first message made of the same mail; 0: this one
    origin: MessageOrigin | None = None  # None: not known, as for mail of earlier versions
    message_id: str | None = None  # as message_id.py reads it; None: none, or not known
    is_sealed: bool = False  # head and file are sealed (`store/sealing`)

    @property
    def size(self) -> int:
        """Octets of content in all, as its sender sent them."""
        return _octets(self.head, self.file, is_sealed=self.is_sealed)


class HeldMessage(NamedTuple):
    """A message in the store with the recipients that still wait, without those refused."""

    number: int
    domain_id: int
    envelope: Envelope
    received_at: float
    head: bytes
    file: ContentFile | None = None
    is_delay_told: bool = False  # as of a new one
    goes_in_a_circle: bool = False  # as the drain found that reads it
    doubts: int = 0  # attempts so far whose final reply could not be read
    message_id: str | None = None  # as of a new one
    origin: MessageOrigin | None = None  # as of a new one; few drains read it
    deferrals: PolicyDeferrals = NO_DEFERRALS
    was_deferred: bool = False  # by a policy, in a drain before the one that reads it
    is_sealed: bool = False  # as of a new one

    @property
    def place(self) -> int:
        """Its place in the order of the drain that reads it: the oldest first.

        Suspect mail comes behind other mail. Mail that was deferred by a policy
        comes behind both.
        """
        return drain_place(
            self.number, is_suspect=self.envelope.is_suspect, was_deferred=self.was_deferred
        )

    @property
    def size(self) -> int:
        """Octets of content in all, as its sender sent them."""
        return _octets(self.head, self.file, is_sealed=self.is_sealed)


def _octets(head: bytes, file: ContentFile | None, *, is_sealed: bool) -> int:
    if not is_sealed:
        return len(head) + (file.size if file else 0)
    if file is None:
        return plain_head_octets(len(head), has_file=False)
    return plain_head_octets(len(head), has_file=True) + plain_file_octets(file.size)


NUMBERS_A_SECOND: Final = 1_000_000  # that MessageNumbers passes over with the time


def drain_place(number: int, *, is_suspect: bool, was_deferred: bool) -> int:
    """Return the place of a message in the order of a drain."""
    if was_deferred:
        return number + DEFERRED_PLACE
    return number + SUSPECT_PLACE if is_suspect else number


class MessageNumbers:
    """Hands out message numbers: microseconds of Unix time that grow even if the clock steps back.

    A store has one of these, so that no number is given twice (`MailStore.numbers`).

    The number doubles as the message's name to people (`message_name`), in Received, logs and
    `queue list`.
    """

    def __init__(self, last: int = 0) -> None:
        """`last` is the highest number already in the store."""
        self._last = last

    @property
    def last(self) -> int:
        """The highest number that is taken; 0 at first."""
        return self._last

    def pass_over(self, number: int) -> None:
        """Hand out none up to this one, which is taken."""
        self._last = max(self._last, number)

    def next(self, now: float) -> int:
        """Return a number higher than all before; `now` is Unix time in seconds."""
        self._last = max(self._last + 1, int(now * NUMBERS_A_SECOND))
        return self._last


def message_name(number: int) -> str:
    """Spell a message number for people: 11 letters and digits for any date of this century."""
    name = _PAIRS[number & 1023]
    while number := number >> 10:
        name = _PAIRS[number & 1023] + name
    return name.lstrip("0") or "0"


def message_number(name: str) -> int:
    """Read back what `message_name` wrote. Raises ValueError for anything else."""
    if not (name and name.isascii()):
        raise ValueError(name)
    number = 0
    for letter in name.lower():
        number = number * 32 + _ALPHABET.index(letter)
    if number >= 2**63:  # no store can have it
        raise ValueError(name)
    return number
