"""The care of a store on PostgreSQL from outside: PostgreSQL has tools of its own for most."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

import asyncpg

from restante.phrases import cause_of
from restante.store.database_access import DatabaseAccess
from restante.store.postgres.database_session import DatabaseSession, open_granted
from restante.store.postgres.schema_upgrade import plan_schema, upgrade_schema
from restante.store.store_care import SalvageReport, SchemaChange, StoreReport, UpgradePlan
from restante.store.store_errors import CareUnsupported, StoreUnusable

Value = TypeVar("Value")
_NO_TABLES: Final = "the database has no store; the first start of a server makes one"


class PostgresCare:
    """A `StoreCare`."""

    def __init__(self, url: str, access: DatabaseAccess) -> None:
        self._url = url
        self._access = access

    def check(self, on_progress: Callable[[int, int], None]) -> StoreReport:  # noqa: ARG002
        """Raise CareUnsupported."""
        raise CareUnsupported(
            "a store on PostgreSQL is checked with pg_amcheck; servers read all mail once a day"
        )

    def salvage(
        self,
        target: Path,
        on_progress: Callable[[int], None],  # noqa: ARG002
    ) -> SalvageReport:
        """Raise CareUnsupported."""
        raise CareUnsupported(
            f"{target}: a damaged store on PostgreSQL is restored from a backup of PostgreSQL"
        )

    def plan_upgrade(self) -> UpgradePlan:
        """Return the steps that are due."""
        return self._run(plan_schema)

    def upgrade(self) -> SchemaChange:
        """Bring the tables to this program's version."""
        return self._run(_upgrade)

    def _run(self, work: Callable[[DatabaseSession], Awaitable[Value]]) -> Value:
        try:
            return asyncio.run(self._with_session(work))
        except asyncpg.UndefinedTableError:
            raise StoreUnusable(_NO_TABLES) from None
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise StoreUnusable(f"the database cannot be opened: {cause_of(error)}") from error

    async def _with_session(self, work: Callable[[DatabaseSession], Awaitable[Value]]) -> Value:
        session = await open_granted(self._url, self._access)
        try:
            return await work(session)
        finally:
            await session.close()


async def _upgrade(session: DatabaseSession) -> SchemaChange:
    return SchemaChange(*await upgrade_schema(session))
