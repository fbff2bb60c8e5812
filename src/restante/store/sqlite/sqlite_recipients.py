"""The part of the store that keeps the known mailboxes."""

from collections.abc import Sequence
from functools import partial

from restante.store.sqlite import mail_reading, record_changes
from restante.store.sqlite.store_core import StoreCore
from restante.tenancy.audit import AuditEntry
from restante.tenancy.recipients import Recipient


class SqliteRecipients:
    """A `RecipientStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    async def recipients(
        self, domain_id: int, after: Recipient | None, limit: int
    ) -> list[Recipient]:
        """Return some of a domain's recipients by source and name."""
        return await self._core.read(
            partial(mail_reading.recipients, domain_id=domain_id, after=after, limit=limit)
        )

    async def change_list(
        self, domain_id: int, added: Sequence[str], dropped: Sequence[str], audit: AuditEntry
    ) -> None:
        """Change a domain's list."""
        change = partial(
            record_changes.change_list,
            domain_id=domain_id,
            added=added,
            dropped=dropped,
            audit=audit,
        )
        await self._core.write(change)

    async def learn(self, domain_id: int, facts: Sequence[Recipient]) -> None:
        """Keep what a destination said of mailboxes."""
        await self._core.write(partial(record_changes.learn, domain_id=domain_id, facts=facts))
