"""The facts to which admission applies a domain's policy. All are in memory."""

from collections.abc import Callable, Iterable, Sequence

from restante.reception.admission import AdmissionFacts, DomainFacts, HostedRecipient
from restante.reception.quota_reservations import QuotaReservation, QuotaReservations
from restante.store.figure_store import FigureStore
from restante.store.hold_refusals import QuotasByDomain
from restante.store.live_directory import LiveDirectory
from restante.tenancy.model import Destination, Directory, HostedDomain
from restante.tenancy.quota import NO_QUOTA, DomainQuotas
from restante.tenancy.recipients import RecipientBook


def quotas_of(directory: Directory, domain_ids: Iterable[int]) -> QuotasByDomain:
    """Return the quotas that apply to those of some domains that have any."""
    found = {}
    for domain_id in domain_ids:
        domain = directory.domain_by_id(domain_id)
        account = directory.accounts.get(domain.account) if domain else None
        if domain is None or account is None:
            continue
        if not (domain.policy.quota.is_none and account.quota.is_none):
            found[domain_id] = DomainQuotas(
                domain.name, domain.policy.quota, account.name, account.quota
            )
    return found


class FactsLookup:
    """Looks up the facts about a domain or a recipient. No I/O, no query."""

    def __init__(
        self,
        figures: FigureStore,
        directory: LiveDirectory,
        now: Callable[[], float],
        *,
        is_up: Callable[[Destination], bool] = lambda _destination: False,
        book: Callable[[int], RecipientBook | None] = lambda _domain_id: None,
        reservations: QuotaReservations | None = None,
    ) -> None:
        """`is_up` tells whether a destination is known to answer; `now` is Unix time."""
        self._figures = figures
        self._directory = directory
        self._now = now
        self._is_up = is_up
        self._book = book
        self._reservations = QuotaReservations() if reservations is None else reservations

    def matter(self, domain: HostedDomain) -> bool:
        """Return whether anything could refuse mail for a domain; if not, no facts are needed."""
        account = self._directory.now.accounts.get(domain.account)
        return not domain.policy.takes_everything or (
            account is not None and not account.quota.is_none
        )

    def of_recipient(self, recipient: HostedRecipient) -> AdmissionFacts:
        """Return the facts for one RCPT."""
        domain = recipient.domain
        facts = self.of_domain(domain)
        book = self._book(domain.id)
        known = (
            None
            if book is None
            else book.known(recipient.path.local_part, domain.policy, facts.now)
        )
        return AdmissionFacts(recipient, facts, known)

    def of_domain(self, domain: HostedDomain) -> DomainFacts:
        """Return the state of a domain."""
        account = self._directory.now.accounts.get(domain.account)
        usage, account_usage = self._reservations.beside(
            domain,
            self._figures.usage(domain.id),
            self._figures.usage_of_account(domain.account),
        )
        return DomainFacts(
            now=self._now(),
            usage=usage,
            account_usage=account_usage,
            account_quota=account.quota if account else NO_QUOTA,
            is_up=self._is_up(domain.destination),
        )

    def reserve(self, domains: Sequence[HostedDomain], room: int) -> QuotaReservation:
        """Reserve room in the quotas of domains, until the reservation ends; in octets."""
        return self._reservations.make(domains, room)
