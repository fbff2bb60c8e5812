"""The known mailboxes in a store that forgets."""

from collections.abc import Sequence

from restante.store.memory.memory_state import MemoryState
from restante.tenancy.audit import AuditEntry
from restante.tenancy.numbered_change import RecordKind
from restante.tenancy.recipients import Recipient, RecipientSource


class MemoryRecipients:
    """A `RecipientStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def recipients(
        self, domain_id: int, after: Recipient | None, limit: int
    ) -> list[Recipient]:
        """Return some of a domain's recipients by source and name."""
        of_domain = [one for (of, _, _), one in self._state.recipients.items() if of == domain_id]
        later = [one for one in of_domain if after is None or one.key > after.key]
        return sorted(later, key=lambda one: one.key)[:limit]

    async def change_list(
        self, domain_id: int, added: Sequence[str], dropped: Sequence[str], audit: AuditEntry
    ) -> None:
        """Change a domain's list."""
        self._state.check_hosted(domain_id)
        for name in dropped:
            self._state.recipients.pop((domain_id, RecipientSource.LIST, name), None)
        for name in added:
            self._state.recipients[domain_id, RecipientSource.LIST, name] = Recipient(
                name, RecipientSource.LIST, is_there=True, at=audit.at
            )
        self._state.note_change(RecordKind.RECIPIENTS, str(domain_id), audit)

    async def learn(self, domain_id: int, facts: Sequence[Recipient]) -> None:
        """Keep what a destination said of mailboxes."""
        self._state.check_hosted(domain_id)
        self._state.recipients |= {(domain_id, one.source, one.name): one for one in facts}
