"""Accounts and domains whose names have a text in them."""

from collections.abc import Iterator
from heapq import nsmallest
from itertools import chain
from operator import attrgetter
from typing import Final, NamedTuple

from pydantic import BaseModel

from restante.admin.accounts import AccountView, show_account
from restante.admin.admin_context import AdminContext
from restante.admin.permissions import AdminAction, permit
from restante.admin.scope import domains_in_scope
from restante.background.loop_slices import in_slices, in_turns
from restante.tenancy.model import HostedDomain

AT_ONCE: Final = 500  # names between two turns of the event loop


class FoundDomain(BaseModel):
    """A domain whose name matches, with its account."""

    name: str
    account: str


class FoundNames(NamedTuple):
    """The first matches by name, and how many there are."""

    accounts: list[AccountView]
    accounts_in_all: int
    domains: list[FoundDomain]
    domains_in_all: int


async def find_names(context: AdminContext, wanted: str, limit: int) -> FoundNames:
    """Return accounts and domains with a text in their names, at most `limit` of each.

    Upper and lower case are the same. Raises AdminError.
    """
    permit(context.principal, AdminAction.ACCOUNT_LIST)
    permit(context.principal, AdminAction.DOMAIN_LIST)
    part = wanted.casefold()
    names: list[str] = []
    domains: list[HostedDomain] = []
    names_in_all = domains_in_all = 0
    async for some in in_slices(_accounts(context), AT_ONCE):
        matching = [name for name in some if part in name]
        names_in_all += len(matching)
        names = nsmallest(limit, chain(names, matching))
    async for piece in in_slices(domains_in_scope(context), AT_ONCE):
        hosted = [one for one in piece if part in one.name]
        domains_in_all += len(hosted)
        domains = nsmallest(limit, chain(domains, hosted), key=attrgetter("name"))
    return FoundNames(
        [show_account(context, name) async for name in in_turns(names)],
        names_in_all,
        [FoundDomain(name=one.name, account=one.account) for one in domains],
        domains_in_all,
    )


def _accounts(context: AdminContext) -> Iterator[str]:
    return filter(context.principal.sees, context.directory.now.accounts)
