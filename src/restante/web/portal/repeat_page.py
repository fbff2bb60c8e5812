"""The page that shows a form that was not carried out, and sends it when asked to.

The form came without a recent factor, from a page that was older than its session, or after the end
of its session. Every form of the portal is shown here, unless its action has a question of its own.
"""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from restante.web.portal.form_guard import TOKEN_FIELD, QuestionRoute
from restante.web.portal.kept_form import SECRETS
from restante.web.portal.own_path import HOME, REPEAT, keep_path, repeat_path, step_up_path
from restante.web.portal.portal_visit import FormRoute, FormValues, Visit, asked_at, see_other

_NOT_SHOWN: Final = frozenset({"account", "answer", "key", "sealed", "username"})
_PREFIX: Final = "was_"  # of fields that say what a page showed


def factor_first(visit: Visit, following: str) -> Response:
    """Return the answer to a form that needs a factor first. The form is shown again then."""
    again = repeat_path(visit.request.url.path)
    return asked_at(keep_path(again, following)) if again else see_other(step_up_path(following))


async def repeat(visit: Visit) -> Response:
    """Show the fields of a form that was not carried out, with the button that sends it."""
    action, routes = visit.query.text("to"), visit.request.app.routes
    if not any(_leads_to(one, action) for one in routes if isinstance(one, FormRoute)):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    form = await visit.asked()
    return visit.page(
        "repeat.html",
        action=action,
        fields=[one for one in form.pairs() if one[0] not in SECRETS | {TOKEN_FIELD}],
        shown=list(_shown(form)),
        secrets=sorted(SECRETS & {name for name, _value in form.pairs()}),
        back=_back(routes, action, form),
    )


def _shown(form: FormValues) -> Iterator[tuple[str, str]]:
    """Yield the fields that a person typed or chose."""
    for name, value in form.pairs():
        is_hidden = name in _NOT_SHOWN | SECRETS | {TOKEN_FIELD} or name.startswith(_PREFIX)
        if value and not is_hidden:
            yield name.replace("_", " ").capitalize(), value


def _back(routes: Sequence[BaseRoute], action: str, form: FormValues) -> str:
    """Return the page that the form is on: the nearest one above its action."""
    pages = [one for one in routes if isinstance(one, Route) and "GET" in (one.methods or ())]
    page = action
    while page and not any(_leads_to(one, page) for one in pages):
        page = page.rpartition("/")[0]
    named = {name: form.text(name) for name in ("account", "user") if form.text(name)}
    return f"{page}?{urlencode(named)}" if page and named else page or HOME


def _leads_to(route: BaseRoute, path: str) -> bool:
    return isinstance(route, Route) and route.path_regex.match(path) is not None


ROUTES: Final[list[Route]] = [QuestionRoute(REPEAT, repeat)]
