"""The port of a store through which mail comes in, and large content on its way to disk.

Part of the contract in interface.py, whose rules hold here.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from restante.mail.message import ContentFile, MessageNumbers, NewMessage
from restante.store.hold_refusals import NO_QUOTAS, QuotasByDomain
from restante.store.store_errors import StoreError

INLINE_LIMIT = 256 * 1024
"""Octets; content above it goes through a Spool.

A row shares its sync with the whole batch; a file has two of its own and a thread's wake-ups. A row
is written twice (log, then database). At 64 KiB rows take 1.9 times the messages a second at half
the processor time. At 200 KB they take 1.4 times. At 1 MiB a limit of 512 KiB was no better."""


class ContentSpool(Protocol):
    """Large content on its way to disk. Used by one connection, one call at a time."""

    async def write(self, block: bytes) -> None:
        """Append.

        Raises StoreError (disk full, I/O error); the spool can then only be discarded.
        """

    async def close(self, rest: bytes = b"") -> ContentFile:
        """Append the rest, and make file and directory entry durable.

        Return the name that a NewMessage gives for it. Raises StoreError as `write` does.
        """

    def discard(self) -> None:
        """Forget it, at any time and more than once.

        After `close` it removes the file too: not for held mail.
        """


class ReceptionStore(Protocol):
    """Takes mail in."""

    def numbers(self) -> MessageNumbers:
        """Return the numbers for new messages: each is given once, and they grow about with time.

        It is the same object at each call. A message can be durable before another with a lower
        number. So a reader must not assume that it has seen all mail below the highest number.
        """

    async def hold(
        self, messages: Sequence[NewMessage], quotas: QuotasByDomain = NO_QUOTAS
    ) -> Mapping[int, StoreError]:
        """Hold these, and return by number why some are refused: all others are durable.

        A message is refused if its domain no longer exists (Conflict), or if its domain or account
        would hold more than the quota (OverQuota). With it, all messages of the same mail
        (`NewMessage.first`) are refused: their sender gets one reply. Mail in front of it counts
        first. `quotas` are those of domains and accounts that have some.

        Numbers come from `numbers`. Raises Conflict if one is taken. Raises StoreError; none is
        held then. The caller discards spools. Limitation: processes on one database see each
        other's mail of the last second only where a quota is small, or is half full.
        """

    def open_spool(self) -> ContentSpool:
        """Begin large content. Nothing touches the disk before the first write."""

    async def duplicate(self, file: ContentFile) -> ContentFile:
        """Give the same content a second durable name: each held message owns its own file."""

    def discard(self, file: ContentFile) -> None:
        """Remove a duplicate that no message has got. Beside other work, and without an error."""
