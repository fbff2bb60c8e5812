"""Which quotas are so close that the database must decide, under a lock. Pure.

A process knows the mail that others have held only up to the last second. So a quota that is small
or half full is decided in the database: each process there waits for the commits of the others.
Below that, others would have to hold half of a large quota within a second.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from restante.mail.message import NewMessage
from restante.store.figure_store import NO_USAGE, DomainUsage
from restante.store.hold_refusals import QuotasByDomain
from restante.tenancy.quota import Quota

SMALL_MESSAGES: Final = 10_000
SMALL_OCTETS: Final = 1 << 30


def close_quotas(
    messages: Sequence[NewMessage],
    quotas: QuotasByDomain,
    usage_of: Callable[[int], DomainUsage],
    usage_of_account: Callable[[str], DomainUsage],
) -> QuotasByDomain:
    """Return the quotas of these messages' domains that are close; the usages may be old."""
    new = _new_usages(messages)
    new_of_accounts: dict[str, DomainUsage] = {}
    for domain_id, quota in quotas.items():
        more = new_of_accounts.get(quota.account, NO_USAGE) + new.get(domain_id, NO_USAGE)
        new_of_accounts[quota.account] = more
    return {
        domain_id: quota
        for domain_id, quota in quotas.items()
        if domain_id in new
        and (
            is_close(quota.own, usage_of(domain_id) + new[domain_id])
            or is_close(
                quota.of_account, usage_of_account(quota.account) + new_of_accounts[quota.account]
            )
        )
    }


def is_close(quota: Quota, usage: DomainUsage) -> bool:
    """Tell whether a quota is small, or more than half full."""
    return any(
        limit is not None and (limit < small or used * 2 > limit)
        for limit, small, used in (
            (quota.messages, SMALL_MESSAGES, usage.messages),
            (quota.octets, SMALL_OCTETS, usage.octets),
        )
    )


def _new_usages(messages: Sequence[NewMessage]) -> Mapping[int, DomainUsage]:
    found: dict[int, DomainUsage] = {}
    for one in messages:
        found[one.domain_id] = found.get(one.domain_id, NO_USAGE) + DomainUsage(1, one.size)
    return found
