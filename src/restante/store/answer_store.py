"""The port of answers to requests that a client may repeat, by the key that it gave them."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer to a request."""

    request: bytes  # a digest of the request
    at: float  # when it was given, Unix time
    status: int
    body: bytes | None  # None: it was too large, or had a secret


@dataclass(frozen=True, slots=True)
class AnswerBounds:
    """How much is kept. Beyond that, old answers go, first those of the holder that has most.

    The holder of an actor's answers is the actor's text up to its first line end: an account. No
    holder can push out the answers of another that has less.
    """

    since: float  # Unix time; older ones go
    of_actor: int  # answers to one actor
    number: int  # answers in all
    octets: int  # of their bodies


class AnswerStore(Protocol):
    """Kept answers. They are no records: nothing else depends on them."""

    async def answer(self, actor: str, key: str, since: float) -> KeptAnswer | None:
        """Return the answer to an actor's request with this key, if it is not older."""

    async def keep_answer(
        self, actor: str, key: str, answer: KeptAnswer, bounds: AnswerBounds
    ) -> None:
        """Keep an answer, and remove those out of bounds. One that is there already stays."""


def holder_of(actor: str) -> str:
    """Return the holder of an actor's answers."""
    holder, end, _ = actor.partition("\n")
    return holder if end else ""
