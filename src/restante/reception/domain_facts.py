"""The facts to which admission applies a domain's policy. All are in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field

from restante.reception.admission import AdmissionFacts, DomainFacts, HostedRecipient
from restante.reception.quota_reservations import QuotaReservations
from restante.store.figure_store import FigureStore
from restante.store.live_directory import LiveDirectory
from restante.tenancy.model import Destination, HostedDomain
from restante.tenancy.quota import NO_QUOTA
from restante.tenancy.recipients import RecipientBook


@dataclass(frozen=True, slots=True)
class FactsLookup:
    """Looks up the facts about a domain or a recipient. No I/O, no query."""

    figures: FigureStore
    directory: LiveDirectory
    now: Callable[[], float]  # Unix time
    is_up: Callable[[Destination], bool] = lambda _destination: False  # known to answer
    book: Callable[[int], RecipientBook | None] = lambda _domain_id: None
    reservations: QuotaReservations = field(default_factory=QuotaReservations)

    def matter(self, domain: HostedDomain) -> bool:
        """Return whether anything could refuse mail for a domain; if not, no facts are needed."""
        account = self.directory.now.accounts.get(domain.account)
        return not domain.policy.takes_everything or (
            account is not None and not account.quota.is_none
        )

    def of_recipient(self, recipient: HostedRecipient) -> AdmissionFacts:
        """Return the facts for one RCPT."""
        domain = recipient.domain
        facts = self.of_domain(domain)
        book = self.book(domain.id)
        known = (
            None
            if book is None
            else book.known(recipient.path.local_part, domain.policy, facts.now)
        )
        return AdmissionFacts(recipient, facts, known)

    def of_domain(self, domain: HostedDomain) -> DomainFacts:
        """Return the state of a domain."""
        account = self.directory.now.accounts.get(domain.account)
        usage, account_usage = self.reservations.beside(
            domain,
            self.figures.usage(domain.id),
            self.figures.usage_of_account(domain.account),
        )
        return DomainFacts(
            now=self.now(),
            usage=usage,
            account_usage=account_usage,
            account_quota=account.quota if account else NO_QUOTA,
            is_up=self.is_up(domain.destination),
        )
