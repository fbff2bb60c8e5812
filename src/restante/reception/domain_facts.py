"""The facts that a domain's policy is applied to, as they are in memory: what is held, is the destination up, who is known."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from restante.reception.admission import Standing
from restante.reception.quota_reservations import QuotaReservations
from restante.store.interface import Usage
from restante.store.live_directory import LiveDirectory
from restante.tenancy.model import Destination, HostedDomain
from restante.tenancy.quota import NO_QUOTA
from restante.tenancy.recipients import RecipientBook


class DomainUsages(Protocol):
    """What is needed of the store."""

    def usage(self, domain_id: int) -> Usage:
        """Return what a domain holds."""

    def usage_of_account(self, account: str) -> Usage:
        """Return what an account holds."""


@dataclass(frozen=True, slots=True)
class DomainFacts:
    """Looks a domain's standing up. No I/O, no query."""

    store: DomainUsages
    directory: LiveDirectory
    now: Callable[[], float]  # Unix time
    is_up: Callable[[Destination], bool] = lambda _destination: False  # known to answer
    book: Callable[[int], RecipientBook | None] = lambda _domain_id: None
    reservations: QuotaReservations = field(default_factory=QuotaReservations)

    def matter(self, domain: HostedDomain) -> bool:
        """Tell whether anything could be against mail for a domain; where not, its standing need not be looked up."""
        account = self.directory.now.accounts.get(domain.account)
        return not domain.policy.takes_everything or (
            account is not None and not account.quota.is_none
        )

    def of(self, domain: HostedDomain) -> Standing:
        """Return how things stand with it."""
        account = self.directory.now.accounts.get(domain.account)
        usage, account_usage = self.reservations.beside(
            domain, self.store.usage(domain.id), self.store.usage_of_account(domain.account)
        )
        return Standing(
            now=self.now(),
            usage=usage,
            account_usage=account_usage,
            account_quota=account.quota if account else NO_QUOTA,
            is_up=self.is_up(domain.destination),
            book=self.book(domain.id),
        )
