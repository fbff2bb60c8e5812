"""A domain's held mail on its way to the connections: oldest first, read ahead, each message once in a round.

A round is one walk over all that is held. It may take several attempts: one that is stopped leaves its place, so that
ten messages which the destination defers do not stand before all the others for ever. Two things make sure that
nothing is handed over twice by one drain: within a round the walk only goes forward, and the next round begins
when everything of this one is settled (the caller's part).
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, Protocol

from restante.mail.message import HeldMessage
from restante.smtp.transaction import MAX_RECIPIENTS

BATCH_MESSAGES: Final = 256
BATCH_OCTETS: Final = 1024 * 1024  # of content in memory: two batches at most, for each drain


class HeldMail(Protocol):
    """What is needed of the store."""

    async def held(self, domain_id: int, after: int, limit: int, max_octets: int) -> list[HeldMessage]:
        """Return the next messages."""


class Supply:
    """What waits to be sent."""

    def __init__(self, store: HeldMail, domain_id: int) -> None:
        self._store = store
        self._domain_id = domain_id
        self._pending: deque[HeldMessage] = deque()
        self._last_read = 0  # number
        self._given_back: set[tuple[int, str]] = set()
        self.is_exhausted = False  # the last read found nothing further
        self.left_behind = 0  # messages of this round that were tried and are still held

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to take now."""
        return not self._pending

    @property
    def is_low(self) -> bool:
        """Whether it is time to read on."""
        return not self.is_exhausted and len(self._pending) < BATCH_MESSAGES // 2

    def take(self) -> HeldMessage | None:
        """Return the next message, None if there is none now."""
        return self._pending.popleft() if self._pending else None

    def give_back(self, message: HeldMessage) -> bool:
        """Put back a message that its connection lost; False for its second time, for it may be what breaks them."""
        part = (message.number, message.envelope.forward_paths[0])
        if part in self._given_back:
            return False
        self._given_back.add(part)
        self._pending.appendleft(message)
        return True

    async def read(self) -> bool:
        """Read the next batch, whether or not the end had been reached; returns whether there was one."""
        batch = await self._store.held(self._domain_id, self._last_read, BATCH_MESSAGES, BATCH_OCTETS)
        self.is_exhausted = not batch
        for message in batch:
            self._pending.extend(_parts(message))
        if batch:
            self._last_read = batch[-1].number
        return bool(batch)

    def lay_down(self) -> None:
        """End an attempt: forget what was read and not sent; the next attempt reads on from there."""
        if self._pending:
            self._last_read = min(message.number for message in self._pending) - 1
        self._pending.clear()
        self.is_exhausted = False

    def begin_round(self) -> None:
        """Start again with the oldest message. Only when all outcomes are settled."""
        self._pending.clear()
        self._given_back.clear()
        self._last_read = 0
        self.is_exhausted = False
        self.left_behind = 0


def _parts(message: HeldMessage) -> Iterator[HeldMessage]:
    """Cut a message into transactions: no server need take more than 100 recipients in one (RFC 5321 §4.5.3.1.8)."""
    paths = message.envelope.forward_paths
    if len(paths) <= MAX_RECIPIENTS:
        yield message
        return
    for start in range(0, len(paths), MAX_RECIPIENTS):
        some = replace(message.envelope, forward_paths=paths[start : start + MAX_RECIPIENTS])
        yield replace(message, envelope=some)
