"""The port of a store for the known mailboxes of each domain.

Part of the contract in interface.py, whose rules hold here.
"""

from collections.abc import Sequence
from typing import Protocol

from restante.tenancy.audit import AuditEntry
from restante.tenancy.recipients import Recipient


class RecipientStore(Protocol):
    """Which mailboxes of each domain are known. They go with their domain."""

    async def recipients(
        self, domain_id: int, after: Recipient | None, limit: int
    ) -> list[Recipient]:
        """Return so many of a domain's recipients by source and name, from the first or `after`."""

    async def change_list(
        self, domain_id: int, added: Sequence[str], dropped: Sequence[str], audit: AuditEntry
    ) -> None:
        """Drop names from a domain's list, then add to it; those added have the time of the entry.

        The change has a number, like those of the operator's records. Raises Conflict if the domain
        no longer exists.
        """

    async def learn(self, domain_id: int, facts: Sequence[Recipient]) -> None:
        """Keep the destination's statements, in place of its earlier ones.

        They have no change number: a drain may bring many. Another process knows them when it
        reads the domain's recipients again. Raises Conflict if the domain no longer exists.
        """
