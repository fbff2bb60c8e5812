"""Looking after a store on PostgreSQL."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from time import process_time
from typing import Final

from restante.store.postgres import content_queries, held_reading, mail_statements
from restante.store.postgres.chunk_spool import remove_unheld
from restante.store.postgres.object_removal import remove_doomed, remove_strays
from restante.store.postgres.postgres_content import PostgresContent
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.store_care import ScrubSlice
from restante.store.store_errors import CareUnsupported, ContentUnreachable, Damaged
from restante.store.upkeep_store import BackupCopy

_STEP: Final = 64  # rows that are read at once
_SOME: Final = f"""
    SELECT {mail_statements.COLUMNS} FROM message WHERE number > $1 ORDER BY number LIMIT $2
"""  # noqa: S608  constants


class PostgresUpkeep:
    """An `UpkeepStore`."""

    is_proven = True  # the database has checksums of its own

    def __init__(self, core: PostgresCore, content: PostgresContent) -> None:
        self._core = core
        self._content = content

    @property
    def failure(self) -> str:
        """Why this process cannot go on with the store."""
        return self._core.node.failure

    @property
    def absence(self) -> str:
        """Why the database cannot be reached at present, or acknowledged mail could be lost."""
        node = self._core.node
        return node.absence or node.silence or node.risk

    @property
    def is_reachable(self) -> bool:
        """Whether the database answers heartbeats."""
        node = self._core.node
        return not (node.absence or node.silence)

    @property
    def content_absence(self) -> str:
        """Why the object store cannot be used at present."""
        objects = self._core.objects
        return "" if objects is None else objects.absence

    def free_octets(self) -> int | None:
        """Nobody here can tell: the disk is another machine's."""
        return None

    async def scrub(self) -> AsyncIterator[ScrubSlice]:
        """Read all held mail, step by step, and remove content that belongs to nobody."""
        await self._remove_orphans()
        after = 0
        while rows := await self._core.fetch(_SOME, after, _STEP):
            begun = process_time()
            found = held_reading.MessagesFound([], [])
            for row in rows:
                held_reading.take(row, found)
            await held_reading.park(self._core, found.damaged)
            damaged = len(found.damaged)
            files = [one.file for one in found.messages if one.file is not None]
            for file in files:
                try:
                    await self._content.examine(file)
                except Damaged:
                    damaged += 1
                except ContentUnreachable:  # `content_absence` says so; another scrub has its turn
                    continue
            octets = sum(one.size for one in found.messages)
            yield ScrubSlice(len(rows), octets, len(files), process_time() - begun, damaged)
            after = rows[-1][0]

    async def remove_left_content(self) -> int:
        """Remove objects whose content has left."""
        objects = self._core.objects
        return 0 if objects is None else await remove_doomed(self._core, objects)

    async def remove_stray_content(self, grace: float) -> int:
        """Remove objects that had no row for `grace` seconds."""
        objects = self._core.objects
        return 0 if objects is None else await remove_strays(self._core, objects, grace)

    async def backup(self, directory: Path) -> BackupCopy:
        """Raise CareUnsupported: PostgreSQL has its own tools."""
        raise CareUnsupported(
            f"{directory}: a store on PostgreSQL is copied with the tools of PostgreSQL, such as"
            " pg_basebackup or pgBackRest; to keep its mail alone, run `restante queue export`"
        )

    async def _remove_orphans(self) -> None:
        """Remove content that processes were writing which ended.

        Nobody is judged soon after the database was away. Each content is a transaction.
        """
        node = self._core.node
        while node.may_judge:
            rows = await self._core.fetch(content_queries.ORPHANS, *node.key, _STEP)
            for (number,) in rows:
                await self._core.write(partial(remove_unheld, number=number))
            if not rows:
                break
