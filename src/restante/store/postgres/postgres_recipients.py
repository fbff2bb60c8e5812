"""The known mailboxes of each domain in the store on PostgreSQL."""

from collections.abc import Sequence
from functools import partial

from restante.store.postgres import record_statements, record_writing
from restante.store.postgres.postgres_core import PostgresCore
from restante.tenancy.audit import AuditEntry
from restante.tenancy.recipients import Recipient, RecipientSource


class PostgresRecipients:
    """A `RecipientStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    async def recipients(
        self, domain_id: int, after: Recipient | None, limit: int
    ) -> list[Recipient]:
        """Return so many of a domain's recipients, from the first or after one."""
        place = after.key if after is not None else ("", "")
        rows = await self._core.fetch(record_statements.RECIPIENTS, domain_id, *place, limit)
        return [
            Recipient(name, RecipientSource(source), bool(is_there), at)
            for name, source, is_there, at in rows
        ]

    async def change_list(
        self, domain_id: int, added: Sequence[str], dropped: Sequence[str], audit: AuditEntry
    ) -> None:
        """Drop names from a domain's list, then add to it."""
        change = partial(
            record_writing.change_list,
            domain_id=domain_id,
            added=added,
            dropped=dropped,
            audit=audit,
        )
        await self._core.write(change)

    async def learn(self, domain_id: int, facts: Sequence[Recipient]) -> None:
        """Keep the destination's statements, in place of its earlier ones."""
        await self._core.write(partial(record_writing.learn, domain_id=domain_id, facts=facts))
