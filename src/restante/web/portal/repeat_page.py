"""The page that shows a form that came too late for its factor, and sends it when asked to."""

import re
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from restante.web.portal.form_guard import TOKEN_FIELD, QuestionRoute
from restante.web.portal.own_path import REPEAT, keep_path, step_up_path
from restante.web.portal.portal_visit import FormValues, Visit, asked_at, see_other

_ACTION: Final = re.compile(
    r"(/access)/(?:logins|tokens)(?:/[a-z]+)?|(/users)/(?:invite|role|remove)"
    r"|(/domains/[\w.-]+)/(?:destination|hosts|changes/\d+/apply)",
    re.ASCII,
)


def factor_first(visit: Visit, following: str) -> Response:
    """Return the answer to a form that needs a factor first. The form is shown again then."""
    action = visit.request.url.path
    if not _ACTION.fullmatch(action):
        return see_other(step_up_path(following))
    return asked_at(keep_path(f"{REPEAT}?to={quote(action)}", following))


async def repeat(visit: Visit) -> Response:
    """Show the fields of a form that was not carried out, with the button that sends it."""
    action = visit.query.text("to")
    found = _ACTION.fullmatch(action)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    form = await visit.asked()
    return visit.page(
        "repeat.html",
        action=action,
        fields=[one for one in form.pairs() if one[0] != TOKEN_FIELD],
        back=_back(str(found[1] or found[2] or f"{found[3]}/direction"), form),
    )


def _back(page: str, form: FormValues) -> str:
    account = form.text("account")
    return f"{page}?{urlencode({'account': account})}" if account else page


ROUTES: Final[list[Route]] = [QuestionRoute(REPEAT, repeat)]
