"""The content files of the store."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial

from restante.mail.message import ContentFile
from restante.store.sqlite import mail_reading
from restante.store.sqlite.store_core import StoreCore
from restante.store.store_errors import Damaged


class SqliteContent:
    """A `ContentStore`: reports and refuses what it finds damaged."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    async def read_file(self, file: ContentFile) -> AsyncIterator[bytes]:
        """Yield a content file in blocks."""
        try:
            async with aclosing(self._core.read_content(file)) as blocks:
                async for block in blocks:
                    yield block
        except Damaged as damage:
            await self._park_file(file, damage)
            raise

    async def prove_file(self, file: ContentFile, beginning: int) -> bytes:
        """Read all of a content file, and return so many of its first octets."""
        self._core.check()
        try:
            return await self._core.files.prove(file, beginning)
        except Damaged as damage:
            await self._park_file(file, damage)
            raise

    async def read_beginning(self, file: ContentFile, octets: int) -> bytes:
        """Return the first octets of a content file."""
        self._core.check()
        return await self._core.files.read_beginning(file, octets)

    async def park_unopened(self, number: int, domain_id: int, text: str) -> None:
        """Report and mark a message as damaged."""
        await self._core.park([mail_reading.UnreadableMessage(number, text, domain_id)])

    async def _park_file(self, file: ContentFile, damage: Damaged) -> None:
        await self._core.park(
            await self._core.read(
                partial(mail_reading.damage_of_file, name=file.name, text=str(damage))
            )
        )
