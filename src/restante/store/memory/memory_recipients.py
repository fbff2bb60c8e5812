"""The known mailboxes in a store that forgets."""

from bisect import bisect_right
from collections.abc import Sequence

from restante.store.memory.memory_state import MemoryState
from restante.tenancy.audit import AuditEntry
from restante.tenancy.numbered_change import RecordKind
from restante.tenancy.recipients import Recipient, RecipientSource


class MemoryRecipients:
    """A `RecipientStore`. Each change replaces the dictionary, which other stores have sorted."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state
        self._sorted_from = state.recipients
        self._sorted: dict[int, list[Recipient]] = {}  # by domain; a list is read by many pages

    async def recipients(
        self, domain_id: int, after: Recipient | None, limit: int
    ) -> list[Recipient]:
        """Return some of a domain's recipients by source and name."""
        of_domain = self._of_domain(domain_id)
        start = 0
        if after is not None:
            start = bisect_right(of_domain, after.key, key=lambda one: one.key)
        return of_domain[start : start + limit]

    def _of_domain(self, domain_id: int) -> list[Recipient]:
        if self._sorted_from is not self._state.recipients:
            self._sorted_from = self._state.recipients
            self._sorted.clear()
        if domain_id not in self._sorted:
            found = [one for (of, _, _), one in self._sorted_from.items() if of == domain_id]
            self._sorted[domain_id] = sorted(found, key=lambda one: one.key)
        return self._sorted[domain_id]

    async def change_list(
        self, domain_id: int, added: Sequence[str], dropped: Sequence[str], audit: AuditEntry
    ) -> None:
        """Change a domain's list."""
        self._state.check_hosted(domain_id)
        changed = dict(self._state.recipients)
        for name in dropped:
            changed.pop((domain_id, RecipientSource.LIST, name), None)
        for name in added:
            changed[domain_id, RecipientSource.LIST, name] = Recipient(
                name, RecipientSource.LIST, is_there=True, at=audit.at
            )
        self._state.replace_recipients(changed)
        self._state.note_change(RecordKind.RECIPIENTS, str(domain_id), audit)

    async def learn(self, domain_id: int, facts: Sequence[Recipient]) -> None:
        """Keep what a destination said of mailboxes."""
        self._state.check_hosted(domain_id)
        new_facts = {(domain_id, one.source, one.name): one for one in facts}
        self._state.replace_recipients(self._state.recipients | new_facts)
