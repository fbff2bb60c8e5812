"""Large content on its way to disk, sealed before it is written."""

from dataclasses import replace

from restante.mail.message import ContentFile, FileSeal
from restante.store.reception_store import ContentSpool
from restante.store.sealing.sealed_form import FileSealer, new_key


class SealedSpool:
    """A `ContentSpool`. After a crash, nobody has the key of a file that no message has."""

    def __init__(self, spool: ContentSpool) -> None:
        self._spool = spool
        self._key = new_key()
        self._sealer = FileSealer(self._key)
        self._size = 0

    async def write(self, block: bytes) -> None:
        """Append."""
        self._size += len(block)
        sealed = self._sealer.add(block)
        del block  # its memory is free while the sealed octets wait for the disk
        if sealed:
            await self._spool.write(sealed)

    async def close(self, rest: bytes = b"") -> ContentFile:
        """Append the rest, and make it durable."""
        self._size += len(rest)
        sealed = self._sealer.end(rest)
        del rest
        file = await self._spool.close(sealed)
        return replace(file, size=self._size, seal=FileSeal(self._key))

    def discard(self) -> None:
        """Forget it."""
        self._spool.discard()
