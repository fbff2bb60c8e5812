"""The people who sign in to the portal: invited, given other rights, and removed.

Each change needs a recent factor. The link of an invitation is on one page only.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.permissions import lacking_for
from restante.admin.portal_users import (
    NewPortalUser,
    PortalUserChange,
    change_user,
    invite_user,
    list_users,
    remove_user,
)
from restante.tenancy.grants import GrantedRole
from restante.web.portal.own_path import step_up_path
from restante.web.portal.portal_visit import FormValues, Visit, checked, page_route, see_other
from restante.web.portal.repeat_page import factor_first

ROWS: Final = 100
USERS: Final = "/users"


async def users(visit: Visit) -> Response:
    """List the people of an account; without one, all that the user may see."""
    query = visit.query
    account = query.text("account") or visit.session.principal.account
    found = list(await list_users(visit.context, account or None, query.text("after")))
    rows = found[:ROWS]
    return visit.page(
        "users.html",
        account=account,
        rows=rows,
        roles_of={one.email: _roles(visit, one.account) for one in rows},
        new_roles=_roles(visit, account),
        more=rows[-1].email if len(found) > ROWS else "",
        is_fresh=visit.session.is_fresh(visit.now),
        step_up=step_up_path(users_path(account)),
    )


def users_path(account: str) -> str:
    """Return the path of the page about an account; "" is one's own, or all."""
    return f"{USERS}?{urlencode({'account': account})}" if account else USERS


async def invite(visit: Visit) -> Response:
    """Invite somebody, and show the link once."""
    form = await visit.form()
    if (first := _factor_first(visit, form)) is not None:
        return first
    new = {
        "email": form.text("email"),
        "account": form.text("account") or visit.session.principal.account,
        "role": form.text("role"),
        "again": form.text("again") == "yes",
    }
    invited = await invite_user(visit.context, checked(lambda: NewPortalUser.model_validate(new)))
    return visit.page(
        "shown_once.html",
        thing=f"{invited.email} is invited",
        what="The link, which is good once, for 30 minutes",
        secret=invited.link,
        following=users_path(form.text("account")),
    )


async def change_role(visit: Visit) -> Response:
    """Give a user another role. The scopes beside it stay."""
    form = await visit.form()
    if (first := _factor_first(visit, form)) is not None:
        return first
    wanted = checked(lambda: PortalUserChange.model_validate({"role": form.text("role")}))
    await change_user(visit.context, form.text("email"), wanted, form.text("reason"))
    return see_other(users_path(form.text("account")))


async def remove(visit: Visit) -> Response:
    """Remove a user, with its sessions and tokens."""
    form = await visit.form()
    if (first := _factor_first(visit, form)) is not None:
        return first
    await remove_user(visit.context, form.text("email"), form.text("reason"))
    return see_other(users_path(form.text("account")))


def _factor_first(visit: Visit, form: FormValues) -> Response | None:
    """Return the way to show a factor; None if that was done recently."""
    if visit.session.is_fresh(visit.now):
        return None
    return factor_first(visit, users_path(form.text("account")))


def _roles(visit: Visit, account: str) -> list[GrantedRole]:
    """Return the roles that the user can give to a person of an account; "" is the operator."""
    fitting: Iterable[GrantedRole] = (
        one for one in GrantedRole if one.is_of_operators == (account == "")
    )
    principal = visit.session.principal
    return [one for one in fitting if lacking_for(principal, one, account) is None]


ROUTES: Final[list[Route]] = [
    page_route(USERS, users),
    page_route(f"{USERS}/invite", invite, ["POST"]),
    page_route(f"{USERS}/role", change_role, ["POST"]),
    page_route(f"{USERS}/remove", remove, ["POST"]),
]
