"""Quota room reserved for complete mail that is not counted yet, because its sync is running.

Without this, many sessions that end at the same moment would each find the same room. A reservation
is made where content is judged, at its end, with nothing in between. It lasts until the message is
held or has failed. So quotas hold with any number of senders at once. Mail for one domain without a
quota costs nothing here.

Nothing is reserved at MAIL SIZE= or at RCPT. Otherwise a stranger could block a domain's mail for
hours with sessions that announce much and send nothing. The announced size counts for the message
itself alone.
"""

from collections.abc import Iterable
from typing import Final, TypeVar

from restante.store.figure_store import NO_USAGE, DomainUsage
from restante.tenancy.model import HostedDomain

_Key = TypeVar("_Key")

FIELD_ROOM: Final = 1024  # upper bound for our own Received field in octets; it is not made yet


class QuotaReservations:
    """The present reservations, by domain and by account."""

    def __init__(self) -> None:
        self._domains: dict[int, DomainUsage] = {}
        self._accounts: dict[str, DomainUsage] = {}

    def beside(
        self, domain: HostedDomain, usage: DomainUsage, account_usage: DomainUsage
    ) -> tuple[DomainUsage, DomainUsage]:
        """Return held plus reserved: the domain's usage, and its account's."""
        if not self._accounts:
            return usage, account_usage
        more, more_of_account = self._domains.get(domain.id), self._accounts.get(domain.account)
        return (
            usage + more if more else usage,
            account_usage + more_of_account if more_of_account else account_usage,
        )

    def make(self, domains: Iterable[HostedDomain], size: int) -> "QuotaReservation":
        """Reserve room for a message of `size` octets, with a copy for each of the domains."""
        return QuotaReservation(
            self, [(domain.id, domain.account) for domain in domains], DomainUsage(1, size)
        )

    def add(self, domain_id: int, account: str, usage: DomainUsage) -> None:
        """Add a usage; a negative one subtracts."""
        _add(self._domains, domain_id, usage)
        _add(self._accounts, account, usage)


class QuotaReservation:
    """The reservation of one message; it may be ended more than once."""

    __slots__ = ("_places", "_reservations", "_usage")

    def __init__(
        self, reservations: QuotaReservations, places: list[tuple[int, str]], usage: DomainUsage
    ) -> None:
        self._reservations, self._places, self._usage = reservations, places, usage
        for domain_id, account in places:
            reservations.add(domain_id, account, usage)

    def end(self) -> None:
        """End it: the message is held and counted, or forgotten."""
        places, self._places = self._places, []
        for domain_id, account in places:
            self._reservations.add(domain_id, account, NO_USAGE - self._usage)


def _add(counts: dict[_Key, DomainUsage], key: _Key, usage: DomainUsage) -> None:
    total = counts.get(key, NO_USAGE) + usage
    if total == NO_USAGE:
        del counts[key]
    else:
        counts[key] = total
