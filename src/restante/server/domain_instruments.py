"""The figures of single domains that the metrics show, read from the server's parts.

There may be ten thousand domains, and mail comes in on the same event loop. So they are read in
pieces, and most figures only of the domains that are shown by themselves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from restante.admin.drill_records import drill_facts
from restante.admin.last_requests import LastRequests
from restante.background.loop_slices import in_turns
from restante.queue.presence import DestinationState
from restante.readiness.drill_facts import NO_DRILL, DrillFacts
from restante.store.figure_store import NO_USAGE, NONE_SET_APART, DomainUsage, SetApart
from restante.store.interface import Store
from restante.store.live_directory import LiveDirectory
from restante.store.store_errors import StoreError
from restante.telemetry.domain_choice import DomainChoice
from restante.telemetry.domain_counts import DomainCounts, DomainTotals
from restante.telemetry.domain_metrics import OTHER, DomainFigures, domain_text
from restante.telemetry.metric_types import Exposition
from restante.tenancy.model import Destination, HostedDomain
from restante.tenancy.quota import Quota


@dataclass(frozen=True, slots=True)
class _StoredFacts:
    """The answers of the store, empty where it could not answer."""

    usages: Mapping[int, DomainUsage]
    oldest: Mapping[int, float] | None
    parked: Mapping[int, SetApart]
    requests: LastRequests
    drills: Mapping[int, DrillFacts]


@dataclass(slots=True)
class _Rest:
    """The sums of all domains that are not shown by themselves."""

    usage: DomainUsage = NO_USAGE
    unheld: int = 0
    oldest_at: float | None = None
    drains: int = 0
    quota_used: float | None = None


@dataclass(slots=True)
class DomainInstruments:
    """Reads them at each request for the metrics, and remembers which domains it chose."""

    store: Store
    directory: LiveDirectory
    counts: DomainCounts
    seen: Callable[[Destination], DestinationState]
    is_draining: Callable[[int], bool]  # by domain id
    limit: Callable[[], int | None]  # the most domains shown; None: all
    now: Callable[[], float]  # Unix time
    choice: DomainChoice = field(default_factory=DomainChoice)

    async def added_to(self, exposition: Exposition) -> Exposition:
        """Return the exposition with the metrics of domains, if any must be shown."""
        limit = self.limit()
        if limit == 0:
            return exposition
        domains = await self._read(limit)
        from restante.telemetry.exposition import (  # noqa: PLC0415  loaded with the API
            is_openmetrics,
            with_more,
        )

        text = domain_text(domains, is_openmetrics=is_openmetrics(exposition))
        return with_more(exposition, [piece.encode() async for piece in in_turns(text)])

    async def _read(self, limit: int | None) -> list[DomainFigures]:
        facts = await self._stored_facts()
        hosted = self.directory.now.domains
        held: dict[str, int] = {}
        async for domain in in_turns(hosted.values()):
            usage = facts.usages.get(domain.id)
            if usage is not None and usage.held:
                held[domain.name] = usage.held
        shown = self.choice.choose(hosted, held, limit)
        own, others = self.counts.read(shown, hosted)
        figures: list[DomainFigures] = []
        rest = _Rest()
        async for domain in in_turns(hosted.values()):
            if domain.name in shown:
                totals = own.get(domain.name, DomainTotals())
                figures.append(self._figures(domain, facts, totals))
            else:
                self._add(rest, domain, facts)
        if len(shown) < len(hosted):
            figures.append(self._figures_of(rest, others, facts))
        return figures

    async def _stored_facts(self) -> _StoredFacts:
        figures, requests = self.store.figures, LastRequests()
        try:
            oldest = await figures.oldest()
            parked = await figures.set_apart()
            async for request in in_turns(await self.store.audit.last_requests()):
                requests.add(request)
            drills = await drill_facts(self.store.retention)
        except StoreError:
            return _StoredFacts(figures.usages(), None, {}, LastRequests(), {})
        return _StoredFacts(figures.usages(), oldest, parked, requests, drills)

    def _figures(
        self, domain: HostedDomain, facts: _StoredFacts, totals: DomainTotals
    ) -> DomainFigures:
        usage = facts.usages.get(domain.id, NO_USAGE)
        seen = self.seen(domain.destination)
        return DomainFigures(
            domain.name,
            held=usage.held,
            refused=usage.refused - facts.parked.get(domain.id, NONE_SET_APART).unheld,
            octets=usage.octets,
            oldest_age=self._age(
                facts, None if facts.oldest is None else facts.oldest.get(domain.id)
            ),
            totals=totals,
            is_up=None if seen is DestinationState.UNKNOWN else seen is DestinationState.UP,
            drains=int(self.is_draining(domain.id)),
            quota_used=_used(domain.policy.quota, usage),
            last_release=facts.requests.last_for(domain),
            last_drill=facts.drills.get(domain.id, NO_DRILL).passed_at,
        )

    def _add(self, rest: _Rest, domain: HostedDomain, facts: _StoredFacts) -> None:
        rest.drains += self.is_draining(domain.id)
        usage = facts.usages.get(domain.id)
        if usage is None:
            return
        rest.usage += usage
        rest.unheld += facts.parked.get(domain.id, NONE_SET_APART).unheld
        if facts.oldest is not None and domain.id in facts.oldest:
            oldest = facts.oldest[domain.id]
            rest.oldest_at = oldest if rest.oldest_at is None else min(rest.oldest_at, oldest)
        used = _used(domain.policy.quota, usage)
        if used is not None:
            rest.quota_used = max(used, rest.quota_used or 0.0)

    def _figures_of(self, rest: _Rest, totals: DomainTotals, facts: _StoredFacts) -> DomainFigures:
        return DomainFigures(
            OTHER,
            held=rest.usage.held,
            refused=rest.usage.refused - rest.unheld,
            octets=rest.usage.octets,
            oldest_age=self._age(facts, rest.oldest_at),
            totals=totals,
            is_up=None,
            drains=rest.drains,
            quota_used=rest.quota_used,
            last_release=None,
        )

    def _age(self, facts: _StoredFacts, received_at: float | None) -> float | None:
        if facts.oldest is None:
            return None
        return 0.0 if received_at is None else max(0.0, self.now() - received_at)


def _used(quota: Quota, usage: DomainUsage) -> float | None:
    """Return the larger used part of the two limits, None without a limit."""
    parts = [
        used / limit
        for used, limit in ((usage.octets, quota.octets), (usage.messages, quota.messages))
        if limit
    ]
    return max(parts, default=None)
