"""One request of a user that is signed in, as the pages get it."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, quote, urlencode

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.background.loop_slices import in_turns
from restante.web.portal.page_renderer import PageRenderer
from restante.web.portal.portal_session import PortalSession, SessionReader
from restante.web.serving import PROVED_EXTENSION

_Made = TypeVar("_Made")

MOST_FIELDS: Final = 1100  # of a form: a page of messages, and as many again


class NotSignedIn(Exception):  # noqa: N818
    """The request has no session."""


@dataclass(frozen=True, slots=True)
class PortalParts:
    """The parts that the pages of one portal share."""

    context: AdminContext
    sessions: SessionReader
    renderer: PageRenderer


class FormValues:
    """The fields of a form or a query: texts, without surrounding blanks."""

    def __init__(self, text: str) -> None:
        try:
            self._values = parse_qs(
                text, keep_blank_values=True, errors="replace", max_num_fields=MOST_FIELDS
            )
        except ValueError:
            raise HTTPException(HTTPStatus.BAD_REQUEST) from None

    def text(self, name: str, default: str = "") -> str:
        """Return a field; the first one if there are several."""
        return self._values.get(name, [default])[0].strip()

    def as_sent(self, name: str) -> str:
        """Return a field with its blanks, such as a password; the first one if there are several.

        Line ends and other characters arrive as they were typed.
        """
        return self._values.get(name, [""])[0]

    def given(self, name: str) -> str | None:
        """Return a field, None for one that is empty."""
        return self.text(name) or None

    def all_of(self, name: str) -> list[str]:
        """Return all fields of a name."""
        return self._values.get(name, [])

    def pairs(self) -> list[tuple[str, str]]:
        """Return all fields, as they were sent."""
        return [(name, value) for name, values in self._values.items() for value in values]

    def without(self, *names: str) -> str:
        """Return the other fields as the text of a form."""
        others = {name: values for name, values in self._values.items() if name not in names}
        return urlencode(others, doseq=True)


@dataclass(frozen=True, slots=True)
class Visit:
    """A request, its session, and the admin context that acts for it."""

    request: Request
    session: PortalSession
    context: AdminContext
    renderer: PageRenderer

    @property
    def now(self) -> float:
        """Unix time."""
        return self.context.now()

    @property
    def query(self) -> FormValues:
        """The fields of the query."""
        return FormValues(self.request.url.query)

    def part(self, name: str) -> str:
        """Return a part of the path."""
        return str(self.request.path_params[name])

    async def form(self) -> FormValues:
        """Return the fields of the form that was sent."""
        return FormValues((await self.request.body()).decode("utf-8", "replace"))

    async def asked(self) -> FormValues:
        """Return the fields of a question: a form, one that a step-up kept, or the query."""
        if self.request.method in ("GET", "HEAD"):
            return self.query
        return waiting_in(await self.form())

    def because(self, reason: str) -> AdminContext:
        """Return the admin context with a reason for the audit trail."""
        return self.context.acting(self.session.principal, reason)

    def page(self, template: str, status: int = HTTPStatus.OK, **facts: Any) -> Response:
        """Return a page of the portal."""
        return self.renderer.page(self.request, template, self.session, status, **facts)


PageHandler = Callable[[Visit], Awaitable[Response]]


class FormRoute(Route):
    """An action by a form. One that came too late is not carried out: it is shown again."""


def waiting_in(form: FormValues) -> FormValues:
    """Return the form that another one brings along, such as that of a step-up; or itself."""
    return FormValues(form.as_sent("kept")) if form.all_of("kept") else form


def page_route(path: str, handler: PageHandler, methods: Sequence[str] = ("GET",)) -> Route:
    """Return the route of a page, or of a form, for users that are signed in."""

    async def answer(request: Request) -> Response:
        return await handler(await visit_of(request))

    kind = FormRoute if "POST" in methods else Route
    return kind(path, answer, methods=list(methods), name=handler.__name__)


async def visit_of(request: Request) -> Visit:
    """Return the visit. Raises NotSignedIn, StoreError."""
    parts: PortalParts = request.app.state.portal
    session = await parts.sessions.session_of(request)
    if session is None:
        raise NotSignedIn
    if (proved := request.scope.get("extensions", {}).get(PROVED_EXTENSION)) is not None:
        proved()  # its connection makes room for no stranger
    return Visit(request, session, parts.context.acting(session.principal), parts.renderer)


def checked(make: Callable[[], _Made]) -> _Made:
    """Return a record made of the fields of a form. Raises AdminError for values out of bounds."""
    try:
        return make()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "form"
        raise AdminError(ErrorKind.INVALID, f"{name}: {first['msg']}", "correct it") from None


async def all_made(views: Iterable[_Made]) -> list[_Made]:
    """Return the views of a listing. They are made when they are read: others get turns between."""
    return [view async for view in in_turns(views)]


def see_other(path: str) -> Response:
    """Return the answer to a form that was carried out: the browser loads another page."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)


def asked_at(path: str) -> Response:
    """Return the answer by which the browser sends the same form to another page here."""
    return RedirectResponse(path, HTTPStatus.TEMPORARY_REDIRECT)


def path_segment(text: str) -> str:
    """Return a text as one part of a path."""
    return quote(text, safe="")
