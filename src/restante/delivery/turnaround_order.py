"""Where the turnarounds of an account go on. Pure.

A turnaround that ends before everything was tried was often ended by the mail itself. Ten messages
in a row are deferred, or one breaks the connection. If the next one began with the same mail, the
mail behind it would wait until that mail expires. So it begins behind the domain, and in each
domain behind the message, that was last tried. The mail before these places comes last.

Only the memory of the process keeps the places. Without one, a turnaround begins with the oldest
mail.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from restante.tenancy.model import HostedDomain

MOST_PLACES: Final = 10_000  # of domains, and of accounts; those unused for longest are forgotten

_Key = TypeVar("_Key")


class TurnaroundOrder:
    """The last message that was tried, for each domain, and the last domain of each account."""

    def __init__(self) -> None:
        """Begin with none."""
        self._messages: OrderedDict[int, int] = OrderedDict()  # numbers, by domain
        self._domains: OrderedDict[str, int] = OrderedDict()  # by account

    def in_turn(self, account: str, domains: Sequence[HostedDomain]) -> Sequence[HostedDomain]:
        """Return the domains, those behind the last one first."""
        last = self._domains.get(account)
        for index, domain in enumerate(domains, 1):
            if domain.id == last:
                return [*domains[index:], *domains[:index]]
        return domains

    def behind(self, domain_id: int) -> int:
        """Return the number of the message behind which to begin, 0 for the oldest one."""
        return self._messages.get(domain_id, 0)

    def ended(
        self, account: str, domain_id: int | None, tried: Mapping[int, int], *, is_whole: bool
    ) -> None:
        """Keep the places of a turnaround; forget them if everything was tried (`is_whole`).

        `domain_id`: of the message that was last tried; `tried`: the last one of each domain, 0 if
        none was.
        """
        if is_whole:
            self._domains.pop(account, None)
        elif domain_id is not None:
            _keep(self._domains, account, domain_id)
        for each, number in tried.items():
            if is_whole:
                self._messages.pop(each, None)
            elif number:
                _keep(self._messages, each, number)


def _keep(places: OrderedDict[_Key, int], key: _Key, place: int) -> None:
    places[key] = place
    places.move_to_end(key)
    if len(places) > MOST_PLACES:
        places.popitem(last=False)
