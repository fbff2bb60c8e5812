"""The large content of held mail in the store on PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from restante.mail.message import ContentFile
from restante.store.postgres import mail_statements
from restante.store.postgres.chunk_spool import content_id
from restante.store.postgres.content_chunks import beginning_of, blocks_of, object_name, objects_of
from restante.store.postgres.held_reading import UnfitMessage, park
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.store_errors import Damaged


class PostgresContent:
    """A `ContentStore`: reports and refuses what it finds damaged."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    async def read_file(self, file: ContentFile) -> AsyncIterator[bytes]:
        """Yield content in blocks."""
        try:
            async with aclosing(blocks_of(self._core, file)) as blocks:
                async for block in blocks:
                    yield block
        except Damaged as damage:
            await self._park(file, damage)
            raise

    async def prove_file(self, file: ContentFile, beginning: int) -> bytes:
        """Read all of it, and return so many of its first octets."""
        found = b""
        async for block in self.read_file(file):
            if len(found) < beginning:
                found += block[: beginning - len(found)]
        return found

    async def read_beginning(self, file: ContentFile, octets: int) -> bytes:
        """Return the first octets of it."""
        return await beginning_of(self._core, file, octets)

    async def examine(self, file: ContentFile) -> None:
        """Prove it whole, as `prove_file`.

        An object is not read, only its size. Object stores compare content with checksums of their
        own, and it is read before it is handed over.
        """
        name = await object_name(self._core, file)
        if name is None:
            await self.prove_file(file, 0)
            return
        try:
            await objects_of(self._core).examine(name, file.size)
        except Damaged as damage:
            await self._park(file, damage)
            raise

    async def park_unopened(self, number: int, domain_id: int, text: str) -> None:
        """Report and mark a message as damaged."""
        await park(self._core, [UnfitMessage(number, text, domain_id)])

    async def _park(self, file: ContentFile, damage: Damaged) -> None:
        rows = await self._core.fetch(mail_statements.NUMBER_OF_CONTENT, content_id(file))
        await park(self._core, [UnfitMessage(number, str(damage), of) for number, of in rows])
