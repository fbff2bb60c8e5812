"""Domains at a glance: mail held, whether the destination answers, and running drains.

It is made for pages that show many domains. Each call reads the store a fixed number of times, and
makes views of one page only.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from heapq import nsmallest
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
from restante.store.figure_store import NO_USAGE, NONE_SET_APART, SetApart, Usage
from restante.store.handover_store import PastDrain
from restante.tenancy.model import HostedDomain

AT_ONCE: Final = 200  # domains between two turns of the event loop
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
    oldest_at: datetime | None
    suspended_for: str | None  # the reason; null if it is not suspended
    keep_seconds: float | None  # null: without an end
    at_end: str  # then: "keep", "delete", "bounce"
    quota: int | None  # octets
    quota_messages: int | None
    drain: DrainView | None  # that runs or waits now
    last_drain: LastDrainView | None


class DomainGlances(NamedTuple):
    """A page of domains by name, and those of all pages that may need a person."""

    page: list[DomainGlance]
    needy: list[DomainGlance]
    domains: int  # in all
    held: Usage  # by all of them


class _GlanceFigures(NamedTuple):
    usages: Mapping[int, Usage]
    oldest: Mapping[int, float]
    parked: Mapping[int, SetApart]
    past: Mapping[int, PastDrain]


async def list_glances(
    context: AdminContext, account: str | None = None, after: str = "", limit: int = 100
) -> DomainGlances:
    """Return the domains after a name, of an account or all. Raises AdminError."""
    permit(context.principal, AdminAction.DOMAIN_LIST)
    if account is not None:
        find_account(context, account)
    figures = await _figures(context)
    page: list[HostedDomain] = []
    needy: list[HostedDomain] = []
    total, count = NO_USAGE, 0
    for place, domain in enumerate(domains_in_scope(context)):
        if place % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)
        if account not in (None, domain.account):
            continue
        count += 1
        total += figures.usages.get(domain.id, NO_USAGE)
        if domain.name > after:
            page.append(domain)
        if len(needy) < MOST_NEEDY and _may_need(context, domain, figures):
            needy.append(domain)
    shown = nsmallest(limit, page, key=lambda one: one.name)
    return DomainGlances(
        _glances(context, shown, figures), _glances(context, needy, figures), count, total
    )


async def show_glance(context: AdminContext, name: str) -> DomainGlance:
    """Return one domain. Raises AdminError if it is not hosted."""
    permit(context.principal, AdminAction.DOMAIN_SHOW)
    domain = find_domain(context, name)
    [glance] = _glances(context, [domain], await _figures(context))
    return glance


async def _figures(context: AdminContext) -> _GlanceFigures:
    figures = context.store.figures
    return _GlanceFigures(
        figures.usages(),
        await figures.oldest(),
        await figures.set_apart(),
        await context.store.handover.past_drains(),
    )


def _may_need(context: AdminContext, domain: HostedDomain, figures: _GlanceFigures) -> bool:
    """Return whether the domain holds mail, or is suspended: only then a person may be needed."""
    return bool(
        figures.usages.get(domain.id, NO_USAGE).messages
        or domain.policy.suspension_at(context.now()) is not None
    )


def _glances(
    context: AdminContext, domains: Iterable[HostedDomain], figures: _GlanceFigures
) -> list[DomainGlance]:
    return [_glance(context, domain, figures) for domain in domains]


def _glance(context: AdminContext, domain: HostedDomain, figures: _GlanceFigures) -> DomainGlance:
    usage = figures.usages.get(domain.id, NO_USAGE)
    uncertain, damaged, unheld = figures.parked.get(domain.id, NONE_SET_APART)
    oldest, past = figures.oldest.get(domain.id), figures.past.get(domain.id)
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
        refused=usage.refused - unheld,
        uncertain=uncertain,
        damaged=damaged,
        oldest_at=None if oldest is None else moment(oldest),
        suspended_for=None if suspension is None else suspension.reason,
        keep_seconds=domain.policy.retention.seconds,
        at_end=domain.policy.retention.at_end,
        quota=domain.policy.quota.octets,
        quota_messages=domain.policy.quota.messages,
        drain=None if drain is None else drain_view(drain),
        last_drain=last_drain_view(domain.name, past) if past and shows_drains else None,
    )
