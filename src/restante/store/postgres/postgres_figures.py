"""How much the store on PostgreSQL holds."""

from collections.abc import Callable, Mapping, Sequence

from restante.store.figure_store import NO_USAGE, DomainUsage, SetApart
from restante.store.postgres import mail_statements, usage_queries
from restante.store.postgres.database_session import PostgresRow
from restante.store.postgres.postgres_core import PostgresCore


class PostgresFigures:
    """A `FigureStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    def usage(self, domain_id: int) -> DomainUsage:
        """Return what a domain holds, as of the last commit."""
        return self._core.mirror.usage(domain_id)

    def usages(self) -> Mapping[int, DomainUsage]:
        """Return what each domain holds, by domain id."""
        return self._core.mirror.usages()

    def usage_of_account(self, account: str) -> DomainUsage:
        """Return what all domains of an account hold together, as of the last commit."""
        return self._core.mirror.usage_of_account(account)

    def usage_of_all(self) -> DomainUsage:
        """Return what all domains hold together, as of the last commit."""
        return self._core.mirror.usage_of_all()

    async def catch_up(self, domain_ids: Sequence[int]) -> None:
        """Read the figures of other processes for these domains."""
        slot = self._core.node.key.id
        rows = await self._core.fetch(usage_queries.OF_OTHERS_IN, slot, domain_ids)
        found = {domain_id: DomainUsage(*figures) for domain_id, *figures in rows}
        self._core.mirror.take_changed_others(dict.fromkeys(domain_ids, NO_USAGE) | found)

    async def oldest(self, domain_ids: Sequence[int] | None = None) -> Mapping[int, float]:
        """Return, by domain id, when the oldest message was received."""
        return dict(map(tuple, await self._of(mail_statements.oldest_messages, domain_ids)))

    async def set_apart(self, domain_ids: Sequence[int] | None = None) -> Mapping[int, SetApart]:
        """Return how many messages of each domain are uncertain, and how many damaged."""
        rows = await self._of(mail_statements.count_set_apart, domain_ids)
        return {domain_id: SetApart(*counts) for domain_id, *counts in rows}

    async def _of(
        self, statement: Callable[..., str], domain_ids: Sequence[int] | None
    ) -> list[PostgresRow]:
        """Ask about all domains, or about some."""
        if domain_ids is None:
            return await self._core.fetch(statement(of_some=False))
        return await self._core.fetch(statement(of_some=True), domain_ids)
