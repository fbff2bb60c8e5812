"""One login: its right to take mail by ATRN, and the client certificates that prove it.

Each change needs a recent factor, because it can send mail to somebody else. An account's change is
announced, and is in force later (`admin/turnaround_delay`).
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.logins import LoginChange, change_login, show_login
from restante.web.portal.access_page import access_path
from restante.web.portal.own_path import step_up_path
from restante.web.portal.people_words import error_for_people
from restante.web.portal.portal_visit import (
    FormValues,
    Visit,
    checked,
    page_route,
    see_other,
)
from restante.web.portal.repeat_page import factor_first
from restante.web.portal.shell_lines import of_login

_CORRECTABLE: Final = (ErrorKind.USAGE, ErrorKind.INVALID, ErrorKind.CONFLICT)


async def login(visit: Visit) -> Response:
    """Show a login and its forms, or the way to show a factor first."""
    return await _page(visit, _account(visit, visit.query), visit.query.text("user"))


async def set_turnaround(visit: Visit) -> Response:
    """Give a login the right to a turnaround, or take it away."""
    form = await visit.form()
    wanted = {"turnaround": form.text("turnaround") == "yes"}
    return await _changed(visit, form, lambda: LoginChange.model_validate(wanted))


async def add_certificate(visit: Visit) -> Response:
    """Register a client certificate."""
    form = await visit.form()
    wanted = {"add_certificates": (form.text("pem"),)}
    return await _changed(visit, form, lambda: LoginChange.model_validate(wanted))


async def drop_certificate(visit: Visit) -> Response:
    """Drop one certificate."""
    form = await visit.form()
    wanted = {"drop_certificates": (form.text("fingerprint"),)}
    return await _changed(visit, form, lambda: LoginChange.model_validate(wanted))


async def _changed(visit: Visit, form: FormValues, wanted: Callable[[], LoginChange]) -> Response:
    """Make a change. If it is refused, the typed values stay on the page."""
    account, user = _account(visit, form), form.text("user")
    if not visit.session.is_fresh(visit.now):
        return factor_first(visit, login_path(account, user))
    try:
        await change_login(visit.because(form.text("reason")), account, user, checked(wanted))
    except AdminError as error:
        if error.kind not in _CORRECTABLE:
            raise
        text = error_for_people(error)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return await _page(visit, account, user, status, error=text, typed=form)
    return see_other(login_path(account, user))


async def _page(
    visit: Visit, account: str, user: str, status: int = HTTPStatus.OK, **told: Any
) -> Response:
    record = await show_login(visit.context, account, user)
    return visit.page(
        "login.html",
        status,
        record=record,
        access=access_path(account),
        is_fresh=visit.session.is_fresh(visit.now),
        step_up=step_up_path(login_path(account, user)),
        commands=of_login(account, record.user, visit.renderer.base_url),
        **{"error": "", "typed": FormValues(""), **told},
    )


def login_path(account: str, user: str) -> str:
    """Return the path of the page about a login."""
    return f"/access/login?{urlencode({'account': account, 'user': user})}"


def _account(visit: Visit, given: FormValues) -> str:
    """Return the account that is named. `admin` decides whether it exists for the user."""
    return given.text("account") or visit.session.principal.account


ROUTES: Final[list[Route]] = [
    page_route("/access/login", login),
    page_route("/access/login/turnaround", set_turnaround, ["POST"]),
    page_route("/access/login/certificate", add_certificate, ["POST"]),
    page_route("/access/login/certificate/drop", drop_certificate, ["POST"]),
]
