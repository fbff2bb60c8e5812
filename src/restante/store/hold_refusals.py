"""Which messages of a batch cannot be held, while the others can."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from restante.mail.message import NewMessage
from restante.store.figure_store import DomainUsage
from restante.store.store_errors import Conflict, OverQuota, StoreError
from restante.tenancy.quota import DomainQuotas, Quota

QuotasByDomain = Mapping[int, DomainQuotas]  # by domain id; without those that have no quota

NO_QUOTAS: Final[QuotasByDomain] = MappingProxyType({})


def refused_of(
    messages: Sequence[NewMessage], is_hosted: Callable[[int], bool]
) -> dict[int, StoreError]:
    """Return by number why messages are refused.

    A mail to several domains has one sender, who gets one reply. If one of its messages is refused,
    all are; otherwise the sender would send again what is held.
    """
    gone = {one.number: one.domain_id for one in messages if not is_hosted(one.domain_id)}
    if not gone:
        return {}
    mails = {one.first or one.number: gone[one.number] for one in messages if one.number in gone}
    return {
        one.number: Conflict(f"domain {mails[one.first or one.number]} no longer exists")
        for one in messages
        if (one.first or one.number) in mails
    }


def over_quota(
    messages: Iterable[NewMessage],
    quotas: QuotasByDomain,
    usage_of: Callable[[int], DomainUsage],
    usage_of_account: Callable[[str], DomainUsage],
) -> dict[int, StoreError]:
    """Return by number why messages find no room. Those in front count first.

    The usages are those before the messages.
    """
    mails: dict[int, list[NewMessage]] = {}
    for one in messages:
        mails.setdefault(one.first or one.number, []).append(one)
    room = _Room(quotas, usage_of, usage_of_account)
    refused: dict[int, StoreError] = {}
    for parts in mails.values():
        if full := room.take(parts):
            refused |= {one.number: OverQuota(f"the quota of {full} is reached") for one in parts}
    return refused


class _Room:
    """The mail of domains and accounts, with the messages that found room so far."""

    def __init__(
        self,
        quotas: QuotasByDomain,
        usage_of: Callable[[int], DomainUsage],
        usage_of_account: Callable[[str], DomainUsage],
    ) -> None:
        self._quotas = quotas
        self._usage_of = usage_of
        self._usage_of_account = usage_of_account
        self._held: dict[int | str, DomainUsage] = {}  # by domain id or account

    def take(self, parts: Sequence[NewMessage]) -> str:
        """Count the messages of a mail; if there is no room, count none and say whose it is not."""
        places = [(one.size, self._places(one.domain_id)) for one in parts]
        held = dict(self._held)
        for size, of_one in places:
            for key, name, quota in of_one:
                if not quota.has_room(held[key].octets, held[key].messages, size):
                    return name
                held[key] += DomainUsage(1, size)
        self._held = held
        return ""

    def _places(self, domain_id: int) -> list[tuple[int | str, str, Quota]]:
        """Return the places that count a domain's mail: key, name and quota."""
        quotas = self._quotas.get(domain_id)
        if quotas is None:
            return []
        if domain_id not in self._held:
            self._held[domain_id] = self._usage_of(domain_id)
        if quotas.account not in self._held:
            self._held[quotas.account] = self._usage_of_account(quotas.account)
        return [
            (domain_id, quotas.domain, quotas.own),
            (quotas.account, f"account {quotas.account}", quotas.of_account),
        ]
