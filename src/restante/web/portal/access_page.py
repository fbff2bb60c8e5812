"""Logins and tokens: when each was last used, and when it ends."""

from collections.abc import Mapping
from itertools import islice
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.logins import LoginView, list_logins
from restante.admin.permissions import AdminAction, lacking_for, may
from restante.admin.tokens import TokenView, list_tokens, place_of
from restante.tenancy.grants import ALL_GRANTS, Grant, GrantedRole
from restante.web.portal.grant_words import grouped_grants
from restante.web.portal.own_path import step_up_path
from restante.web.portal.portal_visit import Visit, page_route

ROWS: Final = 100


async def access(visit: Visit) -> Response:
    """List the logins of an account, and the tokens."""
    principal = visit.session.principal
    query = visit.query
    account = query.text("account") or principal.account
    after, tokens_after = query.text("after"), query.text("tokens_after")
    logins: list[LoginView] = []
    if account and may(principal, AdminAction.LOGIN_LIST):
        found_logins = await list_logins(visit.context, account, after)
        logins = list(islice(found_logins, ROWS + 1))
    tokens: list[TokenView] = []
    if may(principal, AdminAction.TOKEN_LIST):
        found_tokens = await list_tokens(visit.context, account or None, tokens_after)
        tokens = list(islice(found_tokens, ROWS + 1))
    here = {"account": account, "after": after, "tokens_after": tokens_after}
    return visit.page(
        "access.html",
        account=account,
        logins=logins[:ROWS],
        tokens=tokens[:ROWS],
        more=_link(here, after=logins[ROWS - 1].user) if len(logins) > ROWS else "",
        more_tokens=(
            _link(here, tokens_after=place_of(tokens[ROWS - 1])) if len(tokens) > ROWS else ""
        ),
        is_fresh=visit.session.is_fresh(visit.now),
        step_up=step_up_path(access_path(account)),
        grants=grouped_grants(_grants(visit, account)),
    )


def access_path(account: str) -> str:
    """Return the path of the page about an account; "" is one's own, or the operator's."""
    return f"/access?{urlencode({'account': account})}" if account else "/access"


def _link(here: Mapping[str, str], **changed: str) -> str:
    """Return a link to this page with other rows of one table; the other table stays."""
    return "?" + urlencode({name: value for name, value in {**here, **changed}.items() if value})


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
