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
    """How much is kept. Beyond that, old answers go, first those of the account that has most.

    The account of a key owner is its text up to the first line end; "" for operators. No account
    can push out the answers of another that has less.
    """

    since: float  # Unix time; older ones go
    of_owner: int  # answers to one owner of keys
    number: int  # answers in all
    octets: int  # of their bodies


class AnswerStore(Protocol):
    """Kept answers. They are no records: nothing else depends on them.

    Each principal chooses its keys, apart from those of others: it is the owner of its keys.
    """

    async def answer(self, key_owner: str, key: str, since: float) -> KeptAnswer | None:
        """Return the answer to the owner's request with this key, if it is not older."""

    async def keep_answer(
        self, key_owner: str, key: str, answer: KeptAnswer, bounds: AnswerBounds
    ) -> None:
        """Keep an answer, and remove those out of bounds. One that is there already stays."""


def account_of_key_owner(key_owner: str) -> str:
    """Return the account of the owner of a key, among whose answers its own are counted."""
    account, end, _ = key_owner.partition("\n")
    return account if end else ""
