"""The check of a domain: whether its mail would reach the destination, and forgeries too.

It gathers facts of DNS, of the destination and of the store, and has `readiness` judge them. It
changes nothing, and sends no mail.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from itertools import islice
from typing import Final

from pydantic import BaseModel

from restante.admin.admin_context import AdminContext, NetworkAccess
from restante.admin.auditing import moment
from restante.admin.destination_looks import RememberedLook, look_or_remember
from restante.admin.destinations import allow_dial, dial_wait
from restante.admin.domain_snippets import dialer_of
from restante.admin.domain_uptime import longest_outage
from restante.admin.domains import find_domain
from restante.admin.drill_arrival import trust_facts_of
from restante.admin.drill_records import drill_facts_of
from restante.admin.permissions import AdminAction, permit
from restante.admin.recent_arrivals import recent_arrivals
from restante.admin.scope import list_past_releases
from restante.delivery.dialer import Dialer
from restante.delivery.route import NoRoute, recorded_address
from restante.mail.quantity import counted
from restante.network.outgoing_http import OutgoingHttp
from restante.network.resolver import LookupFailed
from restante.phrases import BY_ATRN_ONLY
from restante.queue.held_peak import WIDE, HeldAmount, larger
from restante.readiness.destination_facts import DestinationFacts
from restante.readiness.destination_verdicts import ProbeView, destination_rows
from restante.readiness.dns_facts import DnsFacts
from restante.readiness.dns_gathering import DomainLookup, TimedRecords, gather_dns_facts
from restante.readiness.dns_verdicts import dns_rows, spf_includes_us
from restante.readiness.probe_session import DestinationLook, ProbeTarget
from restante.readiness.readiness_row import (
    ReadinessCheck,
    ReadinessRow,
    ReadinessVerdict,
    not_known,
    passed,
    worst_of,
)
from restante.readiness.record_verdicts import (
    VOLUME_DAYS,
    LastRelease,
    RecordFacts,
    record_rows,
)
from restante.readiness.sts_fetching import policy_fetcher
from restante.request_limits.dial_limits import DialPurpose
from restante.smtp.client_auth import ClientLogin
from restante.store.release_store import PastRelease, ReleaseFilter
from restante.tenancy.model import HostedDomain, IpAddress
from restante.tenancy.policy import DAY
from restante.tenancy.release_result import ReleaseResult
from restante.tenancy.sealed_secrets import SealBroken, destination_owner

FETCH_SECONDS: Final = 10.0  # for the policy of MTA-STS
REFUSAL_DAYS: Final = 30
_RELEASES_READ: Final = 500
_ORDER: Final = tuple(ReadinessCheck)


class CheckRowView(BaseModel):
    """One row of a check."""

    check: ReadinessCheck
    title: str  # of the check, for people
    verdict: ReadinessVerdict
    evidence: str
    remedy: str  # "" where nothing has to be done
    snippet: str  # lines to copy; "" where there are none


class DomainCheckView(BaseModel):
    """The result of a check."""

    domain: str
    destination: str
    at: datetime
    destination_seen_at: datetime | None  # when the destination was looked at; null: it was not
    destination_again_at: datetime | None  # before that, the last look is shown again
    verdict: ReadinessVerdict  # the worst
    rows: list[CheckRowView]


async def check_domain(context: AdminContext, name: str) -> DomainCheckView:
    """Check a domain. Raises AdminError."""
    permit(context.principal, AdminAction.DOMAIN_CHECK)
    return await examined(context, find_domain(context, name), DialPurpose.CHECK)


async def examined(
    context: AdminContext, domain: HostedDomain, purpose: DialPurpose
) -> DomainCheckView:
    """Check a domain, for a principal that may do so or drill. Raises AdminError.

    Each purpose is limited for each domain. The look at the destination is limited by itself. If it
    is too soon, the last look is shown, or a row says when to check again.
    """
    allow_dial(context, purpose, f"domain {domain.name}", domain.name)
    dialer = dialer_of(context.network)
    targets = await _targets(domain, dialer)
    question = DomainLookup(
        domain=domain.name,
        hostname=context.network.hostname,
        targets=targets,
        certificates=tuple(context.network.certificates()),
        blocklists=context.settings.blocklists(),
        tlsa_at=_tlsa_at(domain),
        at=context.now(),
    )
    http = OutgoingHttp(context.network.resolver, lambda: FETCH_SECONDS)
    records = await _record_facts(context, domain)
    answers = asyncio.ensure_future(
        gather_dns_facts(question, TimedRecords(context.network.records), policy_fetcher(http))
    )
    try:
        look = await _look(context, domain, dialer)
        dns = await answers
    finally:
        answers.cancel()  # if the store has failed meanwhile
        await asyncio.gather(answers, return_exceptions=True)
    rows = [*dns_rows(dns), *_destination_rows(context, domain, look, dns), *record_rows(records)]
    return _view(context, domain, look, rows)


async def _targets(domain: HostedDomain, dialer: Dialer) -> Sequence[IpAddress]:
    """Return the addresses of the destination, to find ours on the way there."""
    try:
        return [one.address for one in await dialer.endpoints(domain.destination)]
    except NoRoute:
        return ()


def _tlsa_at(domain: HostedDomain) -> tuple[str, int] | None:
    """Return the host and port whose TLSA records count; None for an address."""
    destination = domain.destination
    if not destination.is_reachable or recorded_address(destination) is not None:
        return None
    return destination.host, destination.port


async def _look(
    context: AdminContext, domain: HostedDomain, dialer: Dialer
) -> RememberedLook | None:
    """Return what the destination shows; None if there is none."""
    destination = domain.destination
    if not destination.is_reachable:
        return None
    target = ProbeTarget(destination, domain.name, _login(context, domain))
    look = DestinationLook(target, dialer, context.now(), context.memory.monotonic)
    return await look_or_remember(
        context,
        domain.account,
        destination.text,
        look.facts,
        lambda: dial_wait(context, DialPurpose.LOOK, destination.host),
    )


def _login(context: AdminContext, domain: HostedDomain) -> ClientLogin | None:
    login = domain.destination.login
    if login is None:
        return None
    try:
        password = context.vault.open(login.sealed_password, destination_owner(domain.name))
    except SealBroken:
        return None
    return ClientLogin(login.user, password)


def _destination_rows(
    context: AdminContext, domain: HostedDomain, look: RememberedLook | None, dns: DnsFacts
) -> list[ReadinessRow]:
    check = ReadinessCheck.REACHABLE
    if look is None:
        return [passed(check, BY_ATRN_ONLY)]
    if look.facts is None:
        cause = look.cause or "was looked at within the last 10 minutes"
        evidence = f"{domain.destination.text}: {cause}"
        seconds = math.ceil(max(1.0, look.again_at - context.now()))
        return [not_known(check, evidence, f"check again in {counted(seconds, 'second')}")]
    login = domain.destination.login
    view = ProbeView(
        facts=look.facts,
        domain=domain.name,
        tls=domain.destination.tls,
        now=context.now(),
        message_octets=_largest(context, domain),
        includes_us=spf_includes_us(dns),
        login="" if login is None else login.user,
        passing=domain.destination.client_address,
        tlsa=dns.destination_tlsa,
        again_at=look.again_at,
    )
    return destination_rows(view)


def _largest(context: AdminContext, domain: HostedDomain) -> int:
    """Return the size of the largest message that is taken for a domain, in octets."""
    limit, own = context.settings.message_size_limit(), domain.policy.message_octets
    return limit if own is None else min(limit, own)


async def _record_facts(context: AdminContext, domain: HostedDomain) -> RecordFacts:
    now, directory = context.now(), context.directory.now
    wanted = ReleaseFilter(domain=(domain.name, domain.id), limit=_RELEASES_READ)
    past = await list_past_releases(context, wanted)
    usage = context.store.figures.usage(domain.id)
    vitals = None if context.server is None else context.server.vitals()
    drill = await drill_facts_of(context.store.retention, domain.id)
    trust = await trust_facts_of(context.store.retention, domain.id)
    return RecordFacts(
        domain=domain.name,
        now=now,
        policy=domain.policy,
        has_login=next(islice(directory.logins_of(domain.account), 1), None) is not None,
        authorized=domain.authorized_hosts.texts,
        unresolved=await _unresolved(context.network, domain),
        last_release=_last_release(past),
        refusals=Counter(
            one.record.reason
            for one in past
            if one.record.result is ReleaseResult.REFUSED
            and one.record.at >= now - REFUSAL_DAYS * DAY
        ),
        messages=usage.messages,
        octets=usage.octets,
        most_held=await _most_held(context, domain, now),
        arrived=await recent_arrivals(context, domain.id, now - VOLUME_DAYS * DAY),
        longest_outage=await longest_outage(context, domain.account, domain.destination.text),
        is_room_short=vitals is not None and vitals.is_room_short,
        drill=drill.at(domain.destination),
        trust=None if trust is None else trust.at(domain.destination),
    )


async def _most_held(context: AdminContext, domain: HostedDomain, now: float) -> HeldAmount:
    """Return the largest number and the largest size of held mail in the last days."""
    since = (now - VOLUME_DAYS * DAY) // WIDE * WIDE
    peaks = await context.store.peaks.peaks(domain.id, domain.account, WIDE, since, now)
    usage = context.store.figures.usage(domain.id)
    present = HeldAmount(usage.messages, usage.octets)
    return reduce(larger, (one.held for one in peaks), present)


def _last_release(past: Sequence[PastRelease]) -> LastRelease | None:
    for one in past:
        record = one.record
        if record.result.is_done and record.actor.startswith("login "):
            return LastRelease(record.at, record.actor, record.acted_from)
    return None


async def _unresolved(network: NetworkAccess, domain: HostedDomain) -> tuple[str, ...]:
    """Return the authorized names that have no address now."""

    async def lacks(name: str) -> bool:
        try:
            await network.resolver.addresses(name)
        except LookupFailed:
            return True
        return False

    names = domain.authorized_hosts.names[:10]
    found = await asyncio.gather(*map(lacks, names))
    return tuple(name for name, is_lacking in zip(names, found, strict=True) if is_lacking)


def _view(
    context: AdminContext,
    domain: HostedDomain,
    look: RememberedLook | None,
    rows: Sequence[ReadinessRow],
) -> DomainCheckView:
    facts: DestinationFacts | None = None if look is None else look.facts
    return DomainCheckView(
        domain=domain.name,
        destination=domain.destination.text,
        at=moment(context.now()),
        destination_seen_at=None if facts is None else moment(facts.at),
        destination_again_at=None if look is None else moment(look.again_at),
        verdict=worst_of(rows),
        rows=[
            CheckRowView(
                check=row.check,
                title=row.check.text,
                verdict=row.verdict,
                evidence=row.evidence,
                remedy=row.remedy,
                snippet=row.snippet,
            )
            for row in sorted(rows, key=lambda row: _ORDER.index(row.check))
        ],
    )
