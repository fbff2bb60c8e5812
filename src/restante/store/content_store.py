"""The port of a store that reads the content files of held mail.

Part of the contract in interface.py, whose rules hold here.
"""

from collections.abc import AsyncIterator, Callable
from typing import Protocol

from restante.mail.message import ContentFile

DAMAGED = (
    "damaged:"  # begins the reply of recipients who wait for a message that is not whole any more
)


OnDamage = Callable[[int, str, int], None]
"""Called on the event loop, once for each message that is damaged.

Arguments: its number, the damage, and the domain's id."""


class ContentStore(Protocol):
    """Reads content files."""

    def read_file(self, file: ContentFile) -> AsyncIterator[bytes]:
        """Yield a content file in blocks of some 256 KiB.

        Raises StoreError where it is missing or damaged.

        Damage may be known only at the end: the blocks are whole only if no error followed. The
        last block never comes from a damaged file. The message that it belongs to is then reported
        and marked, as in `held`.
        """

    async def prove_file(self, file: ContentFile, beginning: int) -> bytes:
        """Read all of a content file to prove it whole, and return `beginning` first octets.

        Raises StoreError, and Damaged if the file is missing or differs from its checksum. The
        message that it belongs to is then reported and marked, as in `held`.
        """

    async def read_beginning(self, file: ContentFile, octets: int) -> bytes:
        """Return so many octets of a content file, or all if it has less.

        Not proven: only the whole has a checksum.

        Raises StoreError where it is missing.
        """

    async def park_unopened(self, number: int, domain_id: int, text: str) -> None:
        """Report and mark a message as damaged, as in `held`: its content cannot be opened."""
