"""How much a store holds that forgets."""

from collections.abc import Mapping, Sequence

from restante.store.figure_store import NO_USAGE, NONE_SET_APART, DomainUsage, SetApart
from restante.store.memory.memory_state import MemoryState


class MemoryFigures:
    """A `FigureStore`: recounted at each call, so that no figure can drift."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    def usage(self, domain_id: int) -> DomainUsage:
        """Return what a domain holds."""
        return self._state.usage(domain_id)

    def usages(self) -> Mapping[int, DomainUsage]:
        """Return what each domain holds, by domain id."""
        return {domain_id: self.usage(domain_id) for domain_id in self._holding()}

    def usage_of_account(self, account: str) -> DomainUsage:
        """Return what all domains of an account hold together."""
        return sum(
            (self.usage(domain.id) for domain in self._state.directory.domains_of(account)),
            start=NO_USAGE,
        )

    def usage_of_all(self) -> DomainUsage:
        """Return what all domains hold together."""
        return sum(self.usages().values(), start=NO_USAGE)

    async def catch_up(self, domain_ids: Sequence[int]) -> None:
        """Nothing: no other process changes this store."""

    async def oldest(self, domain_ids: Sequence[int] | None = None) -> Mapping[int, float]:
        """Return, by domain id, when the oldest held message was received."""
        newest_first = reversed(self._state.mail.values())
        return {
            record.message.domain_id: record.message.received_at
            for record in newest_first
            if record.held and (domain_ids is None or record.message.domain_id in domain_ids)
        }

    async def set_apart(self, domain_ids: Sequence[int] | None = None) -> Mapping[int, SetApart]:
        """Return how many messages are uncertain, damaged or deferred by a policy."""
        found: dict[int, SetApart] = {}
        for record in self._state.mail.values():
            domain_id = record.message.domain_id
            if domain_ids is not None and domain_id not in domain_ids:
                continue
            is_apart = bool(record.uncertain or record.damaged)
            is_by_policy = bool(record.held and record.deferrals.drains)
            if is_apart or is_by_policy:
                uncertain, damaged, unheld, deferred_by_policy = found.get(
                    domain_id, NONE_SET_APART
                )
                found[domain_id] = SetApart(
                    uncertain + bool(record.uncertain),
                    damaged + bool(record.damaged),
                    unheld + (is_apart and not record.held),
                    deferred_by_policy + is_by_policy,
                )
        return found

    def _holding(self) -> list[int]:
        return list(dict.fromkeys(record.message.domain_id for record in self._state.mail.values()))
