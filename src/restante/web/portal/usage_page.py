"""The mail of an account, beside its quota."""

from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.account_use import UseSelection, account_uses
from restante.admin.accounts import show_account
from restante.admin.domain_glances import list_glances
from restante.admin.use_table import HEADERS, MEDIA_TYPE, use_table
from restante.web.portal.portal_visit import Visit, page_route, see_other

ROWS: Final = 100
MOST_MONTHS: Final = 100  # an account that is added again has months of its own


async def usage(visit: Visit) -> Response:
    """Show the account with its domains. An operator chooses one in the overview."""
    name = visit.query.text("account") or visit.session.principal.account
    if not name:
        return see_other("/")
    account = show_account(visit.context, name)
    found = await list_glances(visit.context, name, visit.query.text("after"), ROWS)
    uses = await account_uses(visit.context, UseSelection(account=name), "", MOST_MONTHS)
    months = sorted(uses, key=lambda one: one.month, reverse=True)
    more = ""
    if len(found.page) == ROWS:
        more = "/usage?" + urlencode({"account": name, "after": found.page[-1].name})
    return visit.page("usage.html", account=account, rows=found.page, months=months, more=more)


async def usage_table(visit: Visit) -> Response:
    """Return the use of an account by month as CSV."""
    name = visit.query.text("account") or visit.session.principal.account
    wanted = UseSelection(account=name or None)  # None, for an operator: all accounts
    text = "".join([part async for part in use_table(visit.context, wanted)])
    return Response(text, media_type=MEDIA_TYPE, headers=HEADERS)


ROUTES: Final[list[Route]] = [
    page_route("/usage", usage),
    page_route("/usage.csv", usage_table),
]
