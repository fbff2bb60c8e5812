"""The figures that are answered without I/O: usage, drains, and the numbers of messages.

The changes of this process are taken over at their commit, in any order: usage by differences, and
drains by the versions of their rows. Those of other processes are read once a second
(`cluster_node`). Touched on the event loop only.
"""

from collections.abc import Iterable, Mapping

from restante.store.account_sums import AccountSums
from restante.store.drain_book import DrainRecord
from restante.store.figure_store import NO_USAGE, DomainUsage
from restante.store.postgres.node_numbers import NodeNumbers
from restante.store.postgres.postgres_transaction import PostgresTransaction, VersionedDrain


class FigureMirror:
    """The figures as of the last commit."""

    def __init__(self, numbers: NodeNumbers, content_numbers: NodeNumbers) -> None:
        self.numbers = numbers
        self.content_numbers = content_numbers
        self._accounts: dict[int, str] = {}  # by domain id
        self._own: dict[int, DomainUsage] = {}  # by domain id: as of the rows of this process
        self._of_others: dict[int, DomainUsage] = {}
        self._sums = AccountSums()
        self._drains: dict[int, VersionedDrain] = {}  # by domain id; those that are over stay
        self._moved: set[int] = set()  # domains whose own figures or drains were changed here

    def usage(self, domain_id: int) -> DomainUsage:
        """Return how much a domain holds."""
        if domain_id not in self._accounts:
            return NO_USAGE
        return self._own.get(domain_id, NO_USAGE) + self._of_others.get(domain_id, NO_USAGE)

    def usages(self) -> dict[int, DomainUsage]:
        """Return the figures of each domain with mail."""
        found = ((key, self.usage(key)) for key in self._own.keys() | self._of_others.keys())
        return {key: usage for key, usage in sorted(found) if usage.messages}

    def usage_of_account(self, account: str) -> DomainUsage:
        """Return the sum over an account's domains."""
        return self._sums.usage(account)

    def usage_of_all(self) -> DomainUsage:
        """Return the sum over all domains."""
        return self._sums.total

    def open_drains(self) -> dict[int, DrainRecord]:
        """Return the open drains, by domain id."""
        return {
            domain_id: state.record
            for domain_id, state in self._drains.items()
            if state.record is not None
        }

    def is_draining(self, domain_id: int) -> bool:
        """Return whether a domain has an open drain."""
        state = self._drains.get(domain_id)
        return state is not None and state.record is not None

    def take(self, done: PostgresTransaction) -> None:
        """Take over the figures of a transaction that was committed."""
        self.numbers.pass_over(done.last_number)
        for domain_id, usage in done.moves.items():
            self._own[domain_id] = self._own.get(domain_id, NO_USAGE) + usage
        self._moved.update(done.moves, done.drains)
        for domain_id, account in done.accounts.items():
            self._give(domain_id, account)
        self._add_up(done.moves.keys() | done.accounts.keys())
        self.take_drains(done.drains)

    def take_drains(self, states: Mapping[int, VersionedDrain]) -> None:
        """Take over drains, unless a newer version is known."""
        for domain_id, state in states.items():
            known = self._drains.get(domain_id)
            if known is None or known.version < state.version:
                self._drains[domain_id] = state

    def take_moved(self) -> set[int]:
        """Return the domains whose figures or drains were changed here since the last call."""
        moved, self._moved = self._moved, set()
        return moved

    def unknown_of(self, domain_ids: Iterable[int]) -> list[int]:
        """Return those of these domains that are not known here yet."""
        return [domain_id for domain_id in domain_ids if domain_id not in self._accounts]

    def take_changed_domains(self, accounts: Mapping[int, str]) -> None:
        """Take over some domains with their accounts; "": it was removed."""
        for domain_id, account in accounts.items():
            self._give(domain_id, account)
        self._add_up(accounts)

    def take_domains(self, accounts: Mapping[int, str]) -> None:
        """Take over all domains with their accounts."""
        gone = self._accounts.keys() - accounts.keys()
        for domain_id, account in [*accounts.items(), *((key, "") for key in gone)]:
            self._give(domain_id, account)
        self._add_up(accounts.keys() | gone)

    def take_own(self, usages: Mapping[int, DomainUsage]) -> None:
        """Take over the rows of this process's slot, between its changes."""
        before, self._own = self._own, dict(usages)
        self._moved |= {key for key, _ in before.items() ^ usages.items()}
        self._add_up(before.keys() | usages.keys())

    def take_others(self, usages: Mapping[int, DomainUsage]) -> None:
        """Take over the sums of the rows of all other slots."""
        before, self._of_others = self._of_others, dict(usages)
        self._add_up(before.keys() | usages.keys())

    def take_changed_others(self, usages: Mapping[int, DomainUsage]) -> None:
        """Take over the sums of some domains over the rows of all other slots."""
        self._of_others.update(usages)
        self._add_up(usages)

    def _give(self, domain_id: int, account: str) -> None:
        if account:
            self._accounts[domain_id] = account
        else:
            self._accounts.pop(domain_id, None)
            self._own.pop(domain_id, None)
            self._of_others.pop(domain_id, None)
            self._drains.pop(domain_id, None)

    def _add_up(self, domain_ids: Iterable[int]) -> None:
        ids = list(domain_ids)
        self._sums.take(
            {domain_id: self.usage(domain_id) for domain_id in ids},
            {domain_id: self._accounts.get(domain_id, "") for domain_id in ids},
        )
