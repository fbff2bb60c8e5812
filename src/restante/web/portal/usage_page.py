"""The mail of an account, beside its quota; for an operator also the use of all accounts."""

from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.account_use import AccountUseView, UseSelection, account_uses
from restante.admin.accounts import show_account
from restante.admin.auditing import moment
from restante.admin.domain_glances import list_glances
from restante.admin.use_table import HEADERS, MEDIA_TYPE, use_table
from restante.tenancy.model import Account
from restante.web.portal.portal_visit import Visit, checked, page_route

ROWS: Final = 100
MOST_MONTHS: Final = 100  # an account that is added again has months of its own


async def usage(visit: Visit) -> Response:
    """Show the account with its domains; to an operator who names none, all accounts."""
    name = visit.query.text("account") or visit.session.principal.account
    if not name:
        return await _uses_of_all(visit)
    account = show_account(visit.context, name)
    found = await list_glances(visit.context, name, visit.query.text("after"), ROWS)
    uses = await account_uses(visit.context, UseSelection(account=name), "", MOST_MONTHS)
    months = sorted(uses, key=lambda one: one.month, reverse=True)
    more = ""
    if len(found.page) == ROWS:
        more = "/usage?" + urlencode({"account": name, "after": found.page[-1].name})
    return visit.page("usage.html", account=account, rows=found.page, months=months, more=more)


async def _uses_of_all(visit: Visit) -> Response:
    """Show this month, by account."""
    after = visit.query.text("after")
    uses = await account_uses(visit.context, UseSelection(), after, ROWS)
    present = visit.context.directory.now.accounts
    rows = [(one, _is_of(one, present.get(one.account))) for one in uses]
    return visit.page(
        "uses.html",
        month=f"{moment(visit.now):%Y-%m}",
        rows=rows,
        after=uses[-1].key if len(uses) == ROWS else "",
        is_first=not after,
    )


def _is_of(use: AccountUseView, account: Account | None) -> bool:
    """Return whether the use is of an account that is there, and not of an earlier one."""
    added_at = int(use.account_added_at.timestamp())
    return account is not None and int(account.created_at) == added_at


async def usage_table(visit: Visit) -> Response:
    """Return the use of an account by month as CSV."""
    name = visit.query.text("account") or visit.session.principal.account
    # None, for an operator: all accounts
    wanted = checked(lambda: UseSelection(account=name or None))
    text = "".join([part async for part in use_table(visit.context, wanted)])
    return Response(text, media_type=MEDIA_TYPE, headers=HEADERS)


ROUTES: Final[list[Route]] = [
    page_route("/usage", usage),
    page_route("/usage.csv", usage_table),
]
