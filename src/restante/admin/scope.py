"""The things that exist for the principal: those of its account, or all.

The functions of administration read messages and reports only through this module.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.mail.address import canonical_domain
from restante.mail.message import HeldMessage
from restante.queue.history import HistoryFilter, HistoryPage
from restante.store.queue_store import QueuedMessage, QueueFilter, QueuePage
from restante.store.release_store import PastRelease, ReleaseFilter
from restante.store.report_store import ReportFilter, WaitingReport
from restante.tenancy.audit import AuditFilter
from restante.tenancy.model import HostedDomain
from restante.tenancy.principal import Role


def domain_name(text: str) -> str:
    """Return the canonical name. Raises AdminError for an invalid one."""
    try:
        return canonical_domain(text)
    except ValueError as error:
        raise AdminError(
            ErrorKind.INVALID, f"domain: {error}", "write a name such as example.org"
        ) from None


def account_in_scope(context: AdminContext, wanted: str | None) -> str | None:
    """Return the account that a listing is about; None is everything that exists for it."""
    own = context.principal.account
    return own if wanted is None and own and context.principal.sees(own) else wanted


def owner_of(context: AdminContext, account: str) -> str:
    """Return the account of a new thing: the one that is named, or the principal's own.

    An operator's own is "".
    """
    return account or context.principal.account


def domain_ids_in_scope(context: AdminContext) -> tuple[int, ...] | None:
    """Return the domains that exist for the principal; None is all."""
    principal = context.principal
    if principal.sees_everything:
        return None
    if principal.role is Role.ACCOUNT and principal.domains is None:  # there may be thousands
        own = context.directory.now.domains_of(principal.account)
        return tuple([domain.id for domain in own])
    return tuple(domain.id for domain in domains_in_scope(context))


def domains_in_scope(context: AdminContext) -> Iterator[HostedDomain]:
    """Yield the domains that exist for the principal."""
    directory, principal = context.directory.now, context.principal
    if principal.domains is not None:
        named = (directory.domains.get(name) for name in sorted(principal.domains))
        hosted: Iterator[HostedDomain] = (domain for domain in named if domain is not None)
    elif principal.account:
        hosted = directory.domains_of(principal.account)
    else:
        hosted = iter(directory.domains.values())
    return (one for one in hosted if principal.sees_domain(one.account, one.name))


def audit_in_scope(context: AdminContext, wanted: AuditFilter) -> AuditFilter | None:
    """Limit a filter to the entries that exist for the principal; None: there are none."""
    principal = context.principal
    if principal.account:
        if wanted.account not in (None, principal.account):
            return None
        since = _since_creation(context, wanted.since)
        wanted = wanted._replace(account=principal.account, since=since)
    if principal.domains is not None:
        if wanted.domain is not None and wanted.domain not in principal.domains:
            return None
        wanted = wanted._replace(domains=principal.domains)
    return wanted


async def list_held(context: AdminContext, wanted: QueueFilter) -> Sequence[QueuedMessage]:
    """Return the messages in scope that match."""
    domain_ids = _within(domain_ids_in_scope(context), wanted.domain_ids)
    return await context.store.queue.list_queue(replace(wanted, domain_ids=domain_ids))


async def held_page(context: AdminContext, wanted: QueueFilter) -> QueuePage:
    """Return a page of the messages in scope that match."""
    domain_ids = _within(domain_ids_in_scope(context), wanted.domain_ids)
    return await context.store.queue.queue_page(replace(wanted, domain_ids=domain_ids))


async def message_in_scope(context: AdminContext, number: int) -> HeldMessage | None:
    """Return a message in scope; None if there is none. Raises Damaged, StoreError."""
    is_limited = domain_ids_in_scope(context) is not None
    # Reading a damaged message marks it, so another account's must not even be read.
    if is_limited and not await list_held(context, QueueFilter(numbers=(number,))):
        return None
    return await context.store.queue.message(number)


async def history_page(context: AdminContext, wanted: HistoryFilter) -> HistoryPage:
    """Return a page of the entries of the history in scope that match."""
    domain_ids = _within(domain_ids_in_scope(context), wanted.domain_ids)
    return await context.store.history.history_page(replace(wanted, domain_ids=domain_ids))


async def list_past_releases(context: AdminContext, wanted: ReleaseFilter) -> list[PastRelease]:
    """Return the requests to release mail in scope that match."""
    principal = context.principal
    if principal.account:
        if wanted.account not in (None, principal.account):
            return []
        since = _since_creation(context, wanted.since)
        wanted = replace(wanted, account=principal.account, since=since)
    if principal.domains is None:
        return await context.store.releases.releases(wanted)
    return await _releases_of_domains(context, wanted)


async def _releases_of_domains(context: AdminContext, wanted: ReleaseFilter) -> list[PastRelease]:
    """Return those that named one domain in scope: others tell about more domains."""
    names = {domain.name for domain in domains_in_scope(context)}
    found: list[PastRelease] = []
    while True:
        page = await context.store.releases.releases(wanted)
        found += [one for one in page if one.record.domain in names]
        if len(found) >= wanted.limit or len(page) < wanted.limit:
            return found[: wanted.limit]
        wanted = replace(wanted, before=page[-1].record.id)


async def list_waiting_reports(
    context: AdminContext, wanted: ReportFilter
) -> Sequence[WaitingReport]:
    """Return the reports in scope that match."""
    domain_ids = _within(domain_ids_in_scope(context), wanted.domain_ids)
    return await context.store.reports.list_reports(replace(wanted, domain_ids=domain_ids))


def _since_creation(context: AdminContext, wanted: float | None) -> float:
    """Return when an account's entries begin: those of a removed one with its name are not its."""
    account = context.directory.now.accounts.get(context.principal.account)
    created_at = context.now() if account is None else account.created_at
    return created_at if wanted is None else max(wanted, created_at)


def _within(
    scope: tuple[int, ...] | None, wanted: tuple[int, ...] | None
) -> tuple[int, ...] | None:
    if scope is None or wanted is None:
        return wanted if scope is None else scope
    return tuple(domain_id for domain_id in wanted if domain_id in scope)
