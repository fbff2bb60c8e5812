"""The mail that was sent, the promises for it, and their comparison with the store.

A message is made from its token alone, so its octets can be recreated and compared anywhere. In
each hosted domain it counts as one message: the books go by token and domain.

    lost        the server said 250, and it is neither held nor handed over
    invented    it is held or was handed over, though it was never sent to its end
    spoiled     it is there, but not octet for octet, or not for the same recipients
    copies      deliveries of a message beyond the first, and further rows of one message
"""

from __future__ import annotations

import base64
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

ALPHA: Final = "alpha.example"
BETA: Final = "beta.example"
REVERSE_PATH: Final = "someone@sender.example"
_TOKEN: Final = b"X-Token: "
_NEWLINE: Final = b"\r\n"


class Key(NamedTuple):
    """One domain's part of a message."""

    token: str
    domain: str


@dataclass(slots=True)
class Sending:
    """One message on its way to the server."""

    token: str
    to: tuple[str, ...]
    content: bytes = field(repr=False)
    is_complete: bool = False  # its last octet was on the way, or may have been
    is_acknowledged: bool = False  # a 250 to its content was read

    def parts(self) -> Iterator[Key]:
        """Yield what it becomes."""
        for domain in dict.fromkeys(path.rpartition("@")[2] for path in self.to):
            yield Key(self.token, domain)


class Piece(NamedTuple):
    """A message as it was found, held or handed over."""

    to: tuple[str, ...]
    content: bytes
    client: str | None = None  # its address, as the destination was told; None: it is not


class Books:
    """Everything that was sent in one campaign."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = random.Random(seed)
        self._sent: dict[
            str, tuple[tuple[str, ...], int]
        ] = {}  # token → forward-paths, seed octets
        self._open: dict[str, Sending] = {}
        self._clients: dict[str, str] = {}  # by token: "" for an address that is not passed on
        self.complete: set[Key] = set()
        self.acknowledged: set[Key] = set()
        self.surprises: list[str] = []  # replies that nothing here explains

    @property
    def octets_sent(self) -> int:
        """How much content was made, before it is spelled."""
        return sum(octets for _, octets in self._sent.values())

    def new(self, octets: int | None = None, client: str = "") -> Sending:
        """Make a message. Most are small; `octets` is roughly the size of others.

        `client` is the address that it comes from; "" where a destination is not told.
        """
        token = f"t{self._seed}-{len(self._sent)}"
        octets = octets or self._random.choice((200, 1500, 3000, 12000))
        to = self._recipients()
        self._sent[token] = (to, octets)
        self._clients[token] = client
        sending = Sending(token, to, content_of(token, octets))
        self._open[token] = sending
        return sending

    def _recipients(self) -> tuple[str, ...]:
        domains = self._random.choices(((ALPHA,), (BETA,), (ALPHA, BETA)), (6, 3, 1))[0]
        count = self._random.choice((1, 1, 1, 3))
        return tuple(f"reader-{number}@{domain}" for domain in domains for number in range(count))

    def under_way(self) -> list[Sending]:
        """Return what was sent in the present life of the server."""
        return list(self._open.values())

    def close_life(self) -> None:
        """Enter what the senders noted: the server is dead, nothing more is answered."""
        for sending in self._open.values():
            self.complete.update(sending.parts() if sending.is_complete else ())
            self.acknowledged.update(sending.parts() if sending.is_acknowledged else ())
        self._open.clear()

    def key_of(self, piece: Piece) -> tuple[Key, str]:
        """Return the kind of a found message, and its defect ("" for none)."""
        top, mark, below = piece.content.partition(_TOKEN)
        token = below.partition(_NEWLINE)[0].decode("ascii", "replace")
        domain = piece.to[0].rpartition("@")[2] if piece.to else ""
        key = Key(token, domain)
        if token not in self._sent:
            return key, f"{key}: is nothing that was sent"
        to, octets = self._sent[token]
        if set(piece.to) != {path for path in to if path.endswith(f"@{domain}")}:
            return key, f"{key}: is for {piece.to}, was sent to {to}"
        if mark + below != content_of(token, octets):
            return key, f"{key}: its octets are others"
        if not top.startswith(b"Received: ") or top.count(b"Received: ") != 1:
            return key, f"{key}: has {top[:200]!r} above it"
        if piece.client not in (None, self._clients[token]):
            return key, f"{key}: went in the name of {piece.client or 'nobody'}"
        return key, ""


@dataclass(slots=True)
class Findings:
    """The result of a comparison."""

    lost: set[Key]
    invented: set[Key]
    spoiled: list[str]

    @property
    def are_sound(self) -> bool:
        """Whether nothing is lost, invented or spoiled."""
        return not (self.lost or self.invented or self.spoiled)


def compare(
    books: Books, held: Iterable[Key], taken: Iterable[Key], spoiled: list[str]
) -> Findings:
    """Compare the books with the held mail and the mail of the destination."""
    there = {*held, *taken}
    return Findings(books.acknowledged - there, there - books.complete, spoiled)


def copies(taken: Counter[Key]) -> int:
    """Count how often messages were handed over beyond the first time."""
    return taken.total() - len(taken)


def unnamed(taken: Counter[Key], before: Counter[Key], named: Iterable[Key]) -> list[str]:
    """Return complaints about mail that left after `before`, when only `named` should leave."""
    left = {key for key in taken if taken[key] > before[key]}
    return [f"{key}: left, and was not named" for key in sorted(left.difference(named))]


def content_of(token: str, octets: int) -> bytes:
    """Make a message's content: lines that look like noise. Some of them begin with a dot."""
    noise = base64.encodebytes(random.Random(token).randbytes(octets))
    body = noise.replace(b"\n", _NEWLINE).replace(b"\r\n/", b"\r\n.")
    header = b"%s%s\r\nFrom: <%s>\r\nSubject: crash\r\n\r\n" % (
        _TOKEN,
        token.encode(),
        REVERSE_PATH.encode(),
    )
    return header + body
