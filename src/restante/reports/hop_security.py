"""The demands that a mail host's own records make on TLS, for our own mail to it.

DANE comes first (RFC 7672). It applies where MX, address and TLSA records are all validated by
DNSSEC. Then the certificate must agree with a TLSA record. Otherwise a policy of MTA-STS in mode
enforce (RFC 8461) demands a valid certificate of a host that it names. It never overrides DANE
(§2). Without either, TLS is used where it is offered, with any certificate.

If a host does not meet the demand, the next one is tried. If none does, the mail waits. It never
goes in clear then.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from restante.network.dns_records import DnsRecords, DnsRecordSet
from restante.network.late_module import Load, load_now
from restante.network.outgoing_http import OutgoingHttp
from restante.network.resolver import DnsResolver
from restante.network.tlsa import DaneCheck, read_tlsa
from restante.network.tlsa_lookup import tlsa_records
from restante.readiness.mta_sts import StsPolicy
from restante.readiness.sts_fetching import policy_fetcher
from restante.reports.report_settings import ReportSettings
from restante.reports.sts_policies import FETCH_SECONDS, StsPolicies
from restante.tenancy.model import TlsUse


class NoSafeHop(Exception):  # noqa: N818
    """A host may get no mail now. The text says why."""


@dataclass(frozen=True, slots=True)
class HopDemand:
    """The demand on one hop."""

    tls: TlsUse
    dane: DaneCheck | None = None
    source: str = ""  # DANE or MTA-STS; "" for opportunistic TLS

    @property
    def may_go_in_clear(self) -> bool:
        """Whether mail may go without TLS if TLS fails."""
        return self.tls is TlsUse.OPPORTUNISTIC


OPPORTUNISTIC = HopDemand(TlsUse.OPPORTUNISTIC)


class HopSecurity:
    """Looks demands up."""

    def __init__(
        self,
        records: DnsRecords,
        policies: StsPolicies,
        settings: Callable[[], ReportSettings],
        now: Callable[[], float],
    ) -> None:
        """`settings` returns those of the last reload; `now` is Unix time."""
        self._records = records
        self._policies = policies
        self._settings = settings
        self._now = now

    async def of_domain(self, domain: str, *, is_mx_secure: bool) -> "DomainSecurity":
        """Return what binds a delivery to a domain. Its hosts follow one by one."""
        settings = self._settings()
        policy = await self._policies.policy(domain) if settings.mta_sts else None
        return DomainSecurity(
            self._records,
            domain,
            policy,
            settings.port,
            self._now(),
            settings.dane and is_mx_secure,
        )


def make_hop_security(
    resolver: DnsResolver, settings: Callable[[], ReportSettings], load: Load = load_now
) -> HopSecurity:
    """Return one that fetches policies by HTTPS, from public addresses as MX hosts are."""
    http = OutgoingHttp(resolver, lambda: FETCH_SECONDS, load=load)
    fetch = policy_fetcher(http, lambda: not settings().private_addresses)
    return HopSecurity(resolver, StsPolicies(resolver, fetch, time.monotonic), settings, time.time)


@dataclass(frozen=True, slots=True)
class DomainSecurity:
    """The demands of a domain, for one delivery to it."""

    records: DnsRecords
    domain: str
    policy: StsPolicy | None
    port: int
    at: float  # Unix time
    has_dane: bool  # its MX records are secure

    async def of_host(self, host: str) -> HopDemand:
        """Return the demand on the hop to a host. Raises NoSafeHop."""
        if self.has_dane and (demand := await self._dane(host)) is not None:
            return demand
        if self.policy is None or self.policy.mode != "enforce":
            return OPPORTUNISTIC
        if not self.policy.covers(host):
            raise NoSafeHop(f"{host} is not in the MTA-STS policy of {self.domain}")
        return HopDemand(TlsUse.VERIFY, source="MTA-STS")

    async def _dane(self, host: str) -> HopDemand | None:
        """Return the demand of TLSA records, None without them (RFC 7672 §2.2)."""
        addresses = [await self.records.records(host, kind) for kind in ("A", "AAAA")]
        if not await self._is_secure(host, addresses):
            return None
        answer = await tlsa_records(self.records, host, self.port, addresses)
        _check_answer(host, "TLSA", answer.found)
        if not answer.is_usable:
            return None
        usable = tuple(one for one in read_tlsa(answer.found.values) if one.is_usable)
        if not usable:  # RFC 7672 §2.2: TLS then, whatever the certificate
            return HopDemand(TlsUse.REQUIRED, source="DANE")
        return HopDemand(
            TlsUse.REQUIRED, DaneCheck(usable, (answer.base, self.domain), self.at), source="DANE"
        )

    async def _is_secure(self, host: str, addresses: Sequence[DnsRecordSet]) -> bool:
        """Tell whether TLSA is asked: the addresses are validated, or the alias (§2.2.2)."""
        with_values = [one for one in addresses if one.values]
        if not with_values:
            for one in addresses:
                _check_answer(host, "address", one)
        if any(one.is_secure for one in with_values):
            return True
        if not any(one.alias_of for one in with_values):
            return False
        alias = await self.records.records(host, "CNAME")
        _check_answer(host, "CNAME", alias)
        return alias.is_secure and bool(alias.values)


def _check_answer(host: str, kind: str, found: DnsRecordSet) -> None:
    """Raise NoSafeHop if an answer may have been kept from us."""
    if found.failure:
        raise NoSafeHop(f"{host}: {kind} lookup for DANE failed: {found.failure}")
