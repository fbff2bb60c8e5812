"""Logins and tokens: when each was last used, and when it ends."""

from itertools import islice
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.logins import list_logins
from restante.admin.permissions import AdminAction, lacking_for, may
from restante.admin.tokens import list_tokens
from restante.tenancy.grants import ALL_GRANTS, Grant, GrantedRole
from restante.web.portal.own_path import step_up_path
from restante.web.portal.portal_visit import Visit, page_route

ROWS: Final = 100


async def access(visit: Visit) -> Response:
    """List the logins of an account, and the tokens."""
    principal = visit.session.principal
    account = visit.query.text("account") or principal.account
    logins = []
    if account and may(principal, AdminAction.LOGIN_LIST):
        after = visit.query.text("after")
        logins = list(islice(await list_logins(visit.context, account, after), ROWS))
    tokens = []
    if may(principal, AdminAction.TOKEN_LIST):
        tokens = list(await list_tokens(visit.context, account or None))
    return visit.page(
        "access.html",
        account=account,
        logins=logins,
        tokens=tokens[:ROWS],
        tokens_in_all=len(tokens),
        more=logins[-1].user if len(logins) == ROWS else "",
        is_fresh=visit.session.is_fresh(visit.now),
        step_up=step_up_path(access_path(account)),
        grants=_grants(visit, account),
    )


def access_path(account: str) -> str:
    """Return the path of the page about an account; "" is one's own, or the operator's."""
    return f"/access?{urlencode({'account': account})}" if account else "/access"


def _grants(visit: Visit, account: str) -> list[Grant]:
    """Return the roles and scopes that the user can give to a token."""
    principal = visit.session.principal
    return [
        one
        for one in ALL_GRANTS
        if not (account and one.is_of_operators)
        and (account or not isinstance(one, GrantedRole) or one.is_of_operators)
        and lacking_for(principal, one, account) is None
    ]


ROUTES: Final[list[Route]] = [
    page_route("/access", access),
]
