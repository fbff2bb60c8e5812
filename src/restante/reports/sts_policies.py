"""The MTA-STS policies of the domains that get our own mail (RFC 8461), in bounded memory.

Strangers choose these domains: they are those of reverse-paths. So everything has a bound.

- **Fetches.** One runs at a time for each domain, and the others wait for it. A fetch happens only
  in a delivery, and deliveries have lanes, shares and a rate (report_sender.py). After a failure,
  the domain has five minutes of peace (§3.3).
- **Size and time.** A policy has at most 64 KiB, and a fetch ends after FETCH_SECONDS.
- **Memory.** The policies that were used last are kept: at most MOST_KEPT, and MOST_OCTETS.

A policy that is kept binds until its age ends, whatever DNS says later (§5.1). A new id in DNS, or
half of the age, or a day, has it fetched again. If that fails, the kept one stays.

Limitation: the memory is that of one process, and a restart forgets it. Until the next fetch, an
attacker who controls DNS or the way can then hide that a policy exists.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from restante.network.dns_records import DnsRecords
from restante.network.outgoing_http import OutgoingFailed
from restante.readiness.mta_sts import StsPolicy, announced_id, read_sts_policy

FETCH_SECONDS: Final = 20.0
FAILURE_SECONDS: Final = 300.0
FRESH_SECONDS: Final = 86_400.0
MOST_KEPT: Final = 10_000  # domains
MOST_OCTETS: Final = 4 * 1024 * 1024  # of the names in all policies
_OVERHEAD: Final = 200  # octets of a domain without names


@dataclass(frozen=True, slots=True)
class _KeptPolicy:
    """The last result of a domain. Times are monotonic."""

    policy: StsPolicy | None  # None: it could not be fetched, and there was none before
    id: str  # of the record that announced it
    until: float  # when it ends
    fresh_until: float  # when it is fetched again

    @property
    def weight(self) -> int:
        """The octets that it takes, about."""
        names = () if self.policy is None else self.policy.exchangers
        return _OVERHEAD + sum(map(len, names))


class StsPolicies:
    """The policies that this process knows. Belongs to the event loop."""

    def __init__(
        self,
        records: DnsRecords,
        fetch: Callable[[str], Awaitable[str]],
        monotonic: Callable[[], float],
    ) -> None:
        """`fetch` returns the text of a URL, or raises OutgoingFailed. `monotonic` is seconds."""
        self._records = records
        self._fetch = fetch
        self._monotonic = monotonic
        self._kept: OrderedDict[str, _KeptPolicy] = OrderedDict()
        self._octets = 0
        self._fetching: dict[str, asyncio.Lock] = {}

    async def policy(self, domain: str) -> StsPolicy | None:
        """Return the policy that binds now, None for a domain without one."""
        announced = await self._records.records(f"_mta-sts.{domain}", "TXT")
        found = announced_id(announced.values)
        if not self._is_due(domain, found):
            return self._now(domain)
        lock = self._fetching.setdefault(domain, asyncio.Lock())
        try:
            async with lock:
                if self._is_due(domain, found):
                    await self._renew(domain, found)
        finally:
            if not lock.locked():
                self._fetching.pop(domain, None)
        return self._now(domain)

    def _now(self, domain: str) -> StsPolicy | None:
        kept = self._kept.get(domain)
        if kept is None or kept.until <= self._monotonic():
            return None
        self._kept.move_to_end(domain)
        return kept.policy

    def _is_due(self, domain: str, announced: str) -> bool:
        """Tell whether an announced policy is fetched now."""
        kept, now = self._kept.get(domain), self._monotonic()
        if not announced:
            return False
        return kept is None or kept.id != announced or kept.fresh_until <= now

    async def _renew(self, domain: str, announced: str) -> None:
        """Fetch a policy. After a failure, the kept one stays, and counts as fetched."""
        now = self._monotonic()
        try:
            text = await self._fetch(f"https://mta-sts.{domain}/.well-known/mta-sts.txt")
            policy = read_sts_policy(text)
        except (OutgoingFailed, ValueError):
            before, pause = self._kept.get(domain), now + FAILURE_SECONDS
            if before is not None and before.policy is not None and before.until > now:
                self._keep(domain, _KeptPolicy(before.policy, announced, before.until, pause))
            else:
                self._keep(domain, _KeptPolicy(None, announced, pause, pause))
            return
        fresh = min(max(policy.max_age / 2, FAILURE_SECONDS), FRESH_SECONDS)
        until = now + max(policy.max_age, FAILURE_SECONDS)
        self._keep(domain, _KeptPolicy(policy, announced, until, now + fresh))

    def _keep(self, domain: str, kept: _KeptPolicy) -> None:
        before = self._kept.pop(domain, None)
        self._octets += kept.weight - (before.weight if before is not None else 0)
        self._kept[domain] = kept
        while len(self._kept) > MOST_KEPT or self._octets > MOST_OCTETS:
            _, oldest = self._kept.popitem(last=False)
            self._octets -= oldest.weight
