"""The mail of an account, beside its quota."""

from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.account_use import UseSelection, account_uses
from restante.admin.accounts import show_account
from restante.admin.domain_glances import list_glances
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


ROUTES: Final[list[Route]] = [page_route("/usage", usage)]
