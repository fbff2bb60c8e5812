"""The forms of the page of access: logins and tokens are added and ended there.

Each needs a recent factor. A password or token that was made is on one page only, and nothing shows
it again.
"""

from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.login_passwords import generate_password
from restante.admin.logins import LoginChange, add_generated_login, change_login, remove_login
from restante.admin.token_makings import list_makings
from restante.admin.tokens import NewToken, add_token, revoke_token
from restante.tenancy.grants import ALL_GRANTS, GrantedRole, Scope
from restante.web.portal.access_page import access_path
from restante.web.portal.portal_visit import (
    FormValues,
    Visit,
    checked,
    page_route,
    see_other,
)
from restante.web.portal.repeat_page import factor_first

_DAY: Final = 86400.0
_LONGEST_DAYS: Final = 3660


async def new_login(visit: Visit) -> Response:
    """Add a login with a password that is made here."""
    form = await visit.form()
    if (first := _factor_first(visit, form)) is not None:
        return first
    account, user = _account(visit, form), form.text("user")
    password = await add_generated_login(visit.context, account, user)
    return _once(visit, account, f"Login {user}", "Its password", password)


async def new_password(visit: Visit) -> Response:
    """Give a login another password. The old one stays good for seven days."""
    form = await visit.form()
    if (first := _factor_first(visit, form)) is not None:
        return first
    account, user, password = _account(visit, form), form.text("user"), generate_password()
    change = checked(lambda: LoginChange.model_validate({"password": password, "rotate": True}))
    await change_login(visit.context, account, user, change)
    return _once(visit, account, f"Login {user}", "Its new password", password)


async def end_login(visit: Visit) -> Response:
    """Remove a login."""
    form = await visit.form()
    if (first := _factor_first(visit, form)) is not None:
        return first
    account = _account(visit, form)
    await remove_login(visit.context, account, form.text("user"), form.text("reason"))
    return see_other(access_path(account))


async def new_token(visit: Visit) -> Response:
    """Add a token of the API."""
    form = await visit.form()
    if (first := _factor_first(visit, form)) is not None:
        return first
    account = _account(visit, form)
    added = await add_token(visit.context, checked(lambda: _token_of(visit, form, account)))
    return _once(visit, account, f"Token {added.name}", "Its text", added.token)


async def end_token(visit: Visit) -> Response:
    """Revoke a token, and with it those that it made. Show the records that live on."""
    form = await visit.form()
    if (first := _factor_first(visit, form)) is not None:
        return first
    account, token_id = _account(visit, form), form.text("id")
    await revoke_token(visit.context, token_id, form.text("reason"))
    made = await list_makings(visit.context, token_id)
    is_all_gone = made.is_complete and not made.records
    return see_other(access_path(account) if is_all_gone else makings_path(account, token_id))


async def makings(visit: Visit) -> Response:
    """Show the records that a token made or changed, and that live on after it."""
    query = visit.query
    account = query.text("account") or visit.session.principal.account
    made = await list_makings(visit.context, query.text("id"))
    return visit.page("token_makings.html", made=made, account=account)


def makings_path(account: str, token_id: str) -> str:
    """Return the path of the page about the records of a token."""
    return f"/access/tokens/made?{urlencode({'account': account, 'id': token_id})}"


def _factor_first(visit: Visit, form: FormValues) -> Response | None:
    """Return the way to show a factor; None if that was done recently."""
    if visit.session.is_fresh(visit.now):
        return None
    return factor_first(visit, access_path(_account(visit, form)))


def _account(visit: Visit, form: FormValues) -> str:
    """Return the account of a form. `admin` decides whether it exists for the user."""
    return form.text("account") or visit.session.principal.account


def _token_of(visit: Visit, form: FormValues, account: str) -> NewToken:
    grants = form.all_of("grant")
    if odd := [one for one in grants if one not in list(ALL_GRANTS)]:
        raise AdminError(
            ErrorKind.INVALID, f"grant {odd[0]}: does not exist", "choose from the list"
        )
    text = form.text("days", "365")
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:9]) <= _LONGEST_DAYS):
        remedy = f"write a number from 1 to {_LONGEST_DAYS}"
        raise AdminError(ErrorKind.INVALID, "days: is not a number of days", remedy)
    roles = [one for one in grants if one in list(GrantedRole)]
    return NewToken.model_validate(
        {
            "name": form.text("name"),
            "account": account,
            "role": roles[0] if roles else None,
            "scopes": tuple(one for one in grants if one in list(Scope)),
            "domains": tuple(form.text("domains").split()),
            "networks": tuple(form.text("networks").split()),
            "expires_at": visit.now + int(text) * _DAY,
        }
    )


def _once(visit: Visit, account: str, thing: str, what: str, secret: str) -> Response:
    return visit.page(
        "shown_once.html", thing=thing, what=what, secret=secret, following=access_path(account)
    )


ROUTES: Final[list[Route]] = [
    page_route("/access/logins", new_login, ["POST"]),
    page_route("/access/logins/password", new_password, ["POST"]),
    page_route("/access/logins/remove", end_login, ["POST"]),
    page_route("/access/tokens", new_token, ["POST"]),
    page_route("/access/tokens/revoke", end_token, ["POST"]),
    page_route("/access/tokens/made", makings),
]
