"""Domains at a glance: mail held, whether the destination answers, and running drains.

It is made for pages that show many domains. Each call reads the store a fixed number of times, for
the domains of one page and those that may need a person.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from heapq import nsmallest
from itertools import chain
from operator import attrgetter
from typing import Final, NamedTuple

from pydantic import BaseModel

from restante.admin.accounts import find_account
from restante.admin.admin_context import AdminContext
from restante.admin.auditing import moment
from restante.admin.domains import find_domain
from restante.admin.drains import DrainView, LastDrainView, drain_view, last_drain_view
from restante.admin.permissions import AdminAction, may, permit
from restante.admin.primary_state import PrimaryView, primary_view
from restante.admin.scope import domains_in_scope
from restante.background.loop_slices import in_slices, in_turns
from restante.queue.recipient_status import RecipientStatus
from restante.store.figure_store import NONE_SET_APART, DomainUsage, SetApart
from restante.store.handover_store import PastDrain
from restante.tenancy.domain_proof import proof_record
from restante.tenancy.model import HostedDomain
from restante.tenancy.policy import TurnaroundPolicy

AT_ONCE: Final = 500  # domains between two turns of the event loop
MOST_NEEDY: Final = 50  # domains with something to decide, of one account or all


class DomainGlance(BaseModel):
    """One domain in short. Counts are of messages."""

    name: str
    account: str
    destination: str  # host:port
    primary: PrimaryView
    held: int
    octets: int  # of all messages
    refused: int
    uncertain: int
    damaged: int
    deferred_by_policy: int  # held, although it was tried: by a policy of the destination
    oldest_at: datetime | None  # of the held mail
    kept_from: datetime | None = None  # its time began then, if it was held again; None: oldest_at
    suspended_for: str | None  # the reason; null if it is not suspended
    keep_seconds: float | None  # null: without an end
    at_end: str  # then: "keep", "delete", "bounce"
    quota: int | None  # octets
    quota_messages: int | None
    drain: DrainView | None  # that runs or waits now
    last_drain: LastDrainView | None
    took_mail_at: datetime | None = None  # the end of the last drain, if the destination took mail
    awaits_record: str = ""  # the DNS record without which no mail is taken; "" if none is missing


class DomainGlances(NamedTuple):
    """A page of domains by name, and those of all pages that may need a person."""

    page: list[DomainGlance]
    needy: list[DomainGlance]
    domains: int  # in all
    held: DomainUsage  # by all of them


class _GlanceFigures(NamedTuple):
    oldest: Mapping[int, float]
    parked: Mapping[int, SetApart]
    past: Mapping[int, PastDrain]
    kept_from: Mapping[int, float]  # where the end of retention is near


async def list_glances(
    context: AdminContext, account: str | None = None, after: str = "", limit: int = 100
) -> DomainGlances:
    """Return the domains after a name, of an account or all. Raises AdminError."""
    permit(context.principal, AdminAction.DOMAIN_LIST)
    if account is not None:
        find_account(context, account)
    usage_of, now = context.store.figures.usage, context.now()
    shown: list[HostedDomain] = []
    needy: list[HostedDomain] = []
    count = messages = octets = refused = 0
    async for piece in in_slices(domains_in_scope(context), AT_ONCE):
        some = [one for one in piece if account in (None, one.account)]
        count += len(some)
        for domain in some:
            usage = usage_of(domain.id)
            messages += usage.messages
            octets += usage.octets
            refused += usage.refused
            if len(needy) < MOST_NEEDY and _may_need(domain, usage, now):
                needy.append(domain)
        following = (one for one in some if one.name > after)
        shown = nsmallest(limit, chain(shown, following), key=attrgetter("name"))
    figures = await _figures(context, (*shown, *needy))
    return DomainGlances(
        await _glances(context, shown, figures),
        await _glances(context, needy, figures),
        count,
        DomainUsage(messages, octets, refused),
    )


async def show_glance(context: AdminContext, name: str) -> DomainGlance:
    """Return one domain. Raises AdminError if it is not hosted."""
    permit(context.principal, AdminAction.DOMAIN_SHOW)
    domain = find_domain(context, name)
    return _glance(context, domain, await _figures(context, [domain]))


async def _figures(context: AdminContext, domains: Sequence[HostedDomain]) -> _GlanceFigures:
    figures, ids = context.store.figures, [domain.id for domain in domains]
    oldest = await figures.oldest(ids)
    return _GlanceFigures(
        oldest,
        await figures.set_apart(ids),
        await context.store.handover.past_drains(ids),
        await _kept_from(context, domains, oldest),
    )


async def _kept_from(
    context: AdminContext, domains: Sequence[HostedDomain], oldest: Mapping[int, float]
) -> Mapping[int, float]:
    """Return since when the first held mail is kept, for domains where its end may be near.

    That is later than its reception if it was refused and held again: the sweep counts from there.
    """
    found, now = {}, context.now()
    for domain in domains:
        keep, at = domain.policy.retention.seconds, oldest.get(domain.id)
        if keep is None or at is None or now - at < keep / 2 or domain.id in found:
            continue
        since = await context.store.retention.waiting_since(domain.id, RecipientStatus.HELD)
        if since is not None:
            found[domain.id] = since
    return found


def _may_need(domain: HostedDomain, usage: DomainUsage, now: float) -> bool:
    """Return whether a person may be needed.

    The domain holds mail, is suspended, or waits for its proof.
    """
    policy = domain.policy
    return bool(usage.messages or policy.suspension_at(now) is not None or policy.awaits_proof)


async def _glances(
    context: AdminContext, domains: Iterable[HostedDomain], figures: _GlanceFigures
) -> list[DomainGlance]:
    return [_glance(context, domain, figures) async for domain in in_turns(domains)]


def _took_mail(domain: HostedDomain, past: PastDrain) -> bool:
    """Return whether the destination took mail of the last drain: no turnaround can have had it."""
    is_taker = past.delivered > 0 and past.taker == domain.destination.text
    return is_taker and domain.policy.turnaround is TurnaroundPolicy.DENY


def _glance(context: AdminContext, domain: HostedDomain, figures: _GlanceFigures) -> DomainGlance:
    usage = context.store.figures.usage(domain.id)
    apart = figures.parked.get(domain.id, NONE_SET_APART)
    oldest, past = figures.oldest.get(domain.id), figures.past.get(domain.id)
    kept_from = figures.kept_from.get(domain.id)
    suspension = domain.policy.suspension_at(context.now())
    shows_drains = may(context.principal, AdminAction.DRAIN_LIST)
    drain = context.server.drain_of(domain.id) if context.server and shows_drains else None
    return DomainGlance(
        name=domain.name,
        account=domain.account,
        destination=domain.destination.text,
        primary=primary_view(context, domain.destination),
        held=usage.held,
        octets=usage.octets,
        refused=usage.refused - apart.unheld,
        uncertain=apart.uncertain,
        damaged=apart.damaged,
        deferred_by_policy=apart.deferred_by_policy,
        oldest_at=None if oldest is None else moment(oldest),
        suspended_for=None if suspension is None else suspension.reason,
        awaits_record=proof_record(domain, context.network.hostname)
        if domain.policy.awaits_proof
        else "",
        kept_from=None if kept_from is None else moment(kept_from),
        keep_seconds=domain.policy.retention.seconds,
        at_end=domain.policy.retention.at_end,
        quota=domain.policy.quota.octets,
        quota_messages=domain.policy.quota.messages,
        drain=None if drain is None else drain_view(drain),
        last_drain=last_drain_view(domain.name, past) if past and shows_drains else None,
        took_mail_at=moment(past.ended_at) if past and _took_mail(domain, past) else None,
    )
