"""The things that exist for the principal: those of its account, or all.

The functions of administration read messages and reports only through this module.
"""

from collections.abc import Sequence
from dataclasses import replace

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.mail.address import canonical_domain
from restante.mail.message import HeldMessage
from restante.queue.history import HistoryEntry, HistoryFilter
from restante.store.mail_queue import QueuedMessage, QueueFilter
from restante.store.mail_reports import ReportFilter, WaitingReport
from restante.store.release_store import PastRelease, ReleaseFilter
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
    """Return the account that a listing is about; None is all, if the principal may see all."""
    if wanted is None and context.principal.role is Role.ACCOUNT:
        return context.principal.account
    return wanted


def domain_ids_in_scope(context: AdminContext) -> tuple[int, ...] | None:
    """Return the domains of the principal's account; None is all."""
    if context.principal.sees(""):
        return None
    own = context.directory.now.domains_of(context.principal.account)
    return tuple(domain.id for domain in own)


async def list_held(context: AdminContext, wanted: QueueFilter) -> Sequence[QueuedMessage]:
    """Return the messages in scope that match."""
    domain_ids = _within(domain_ids_in_scope(context), wanted.domain_ids)
    return await context.store.queue.list_queue(replace(wanted, domain_ids=domain_ids))


async def held_message(context: AdminContext, number: int) -> HeldMessage | None:
    """Return a message in scope; None if there is none. Raises Damaged, StoreError."""
    is_limited = domain_ids_in_scope(context) is not None
    # Reading a damaged message marks it, so another account's must not even be read.
    if is_limited and not await list_held(context, QueueFilter(numbers=(number,))):
        return None
    return await context.store.queue.message(number)


async def list_history(context: AdminContext, wanted: HistoryFilter) -> list[HistoryEntry]:
    """Return the entries of the history in scope that match."""
    domain_ids = _within(domain_ids_in_scope(context), wanted.domain_ids)
    return await context.store.history.history(replace(wanted, domain_ids=domain_ids))


async def list_past_releases(context: AdminContext, wanted: ReleaseFilter) -> list[PastRelease]:
    """Return the requests to release mail in scope that match."""
    own = account_in_scope(context, None)
    if own is not None and wanted.account not in (None, own):
        return []
    account = wanted.account if own is None else own
    return await context.store.releases.releases(replace(wanted, account=account))


async def list_waiting_reports(
    context: AdminContext, wanted: ReportFilter
) -> Sequence[WaitingReport]:
    """Return the reports in scope that match."""
    domain_ids = _within(domain_ids_in_scope(context), wanted.domain_ids)
    return await context.store.reports.list_reports(replace(wanted, domain_ids=domain_ids))


def _within(
    scope: tuple[int, ...] | None, wanted: tuple[int, ...] | None
) -> tuple[int, ...] | None:
    if scope is None or wanted is None:
        return wanted if scope is None else scope
    return tuple(domain_id for domain_id in wanted if domain_id in scope)
