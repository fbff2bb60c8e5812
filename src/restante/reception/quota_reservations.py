"""Room that is promised to mail which has come whole and is not counted yet: its sync is under way.

Without this, whatever many sessions end in the same moment would each find the same room. A promise is made where content
is judged, at its end, with nothing between the judgment and the promise; it lasts until the message is held or has failed.
So quotas hold however many send at once. Mail for one domain that has no quota costs nothing here.

Nothing is promised at MAIL SIZE= or at RCPT: a stranger could keep a domain's mail out for hours with sessions that
announce much and send nothing. What is announced counts for the message itself alone.
"""

from collections.abc import Iterable
from typing import Final, TypeVar

from restante.store.interface import NO_USAGE, Usage
from restante.tenancy.model import HostedDomain

_Key = TypeVar("_Key")

FIELD_ROOM: Final = 1024  # octets that our own Received field has at most, which is not made yet


class QuotaReservations:
    """What is promised now, by domain and by account."""

    def __init__(self) -> None:
        self._domains: dict[int, Usage] = {}
        self._accounts: dict[str, Usage] = {}

    def beside(
        self, domain: HostedDomain, usage: Usage, account_usage: Usage
    ) -> tuple[Usage, Usage]:
        """Return what is held, with what is promised besides: the domain's, and its account's."""
        if not self._accounts:
            return usage, account_usage
        more, more_of_account = self._domains.get(domain.id), self._accounts.get(domain.account)
        return (
            usage + more if more else usage,
            account_usage + more_of_account if more_of_account else account_usage,
        )

    def make(self, domains: Iterable[HostedDomain], size: int) -> "QuotaReservation":
        """QuotaReservation room for a message of `size` octets in all, a copy for each of the domains."""
        return QuotaReservation(
            self, [(domain.id, domain.account) for domain in domains], Usage(1, size)
        )

    def add(self, domain_id: int, account: str, usage: Usage) -> None:
        """Count it, or count it no longer where it is negative."""
        _add(self._domains, domain_id, usage)
        _add(self._accounts, account, usage)


class QuotaReservation:
    """One message's; it may be ended as often as one likes."""

    __slots__ = ("_places", "_promises", "_usage")

    def __init__(
        self, reservations: QuotaReservations, places: list[tuple[int, str]], usage: Usage
    ) -> None:
        self._promises, self._places, self._usage = reservations, places, usage
        for domain_id, account in places:
            reservations.add(domain_id, account, usage)

    def end(self) -> None:
        """The message is held and counted, or forgotten."""
        places, self._places = self._places, []
        for domain_id, account in places:
            self._promises.add(domain_id, account, NO_USAGE - self._usage)


def _add(counts: dict[_Key, Usage], key: _Key, usage: Usage) -> None:
    total = counts.get(key, NO_USAGE) + usage
    if total == NO_USAGE:
        del counts[key]
    else:
        counts[key] = total
