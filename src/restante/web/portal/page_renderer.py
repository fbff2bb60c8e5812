"""Makes pages of templates. Every value is escaped: strangers choose subjects, names and replies.

Templates are compiled once in a process, by the first `build_portal`: that takes longer than a page
may hold the event loop.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from restante.admin.permissions import AdminAction, may
from restante.background.loop_slices import in_turns
from restante.tenancy.sign_in_factor import factors_text
from restante.web.portal import page_wording, shell_lines
from restante.web.portal.domain_sentence import trouble
from restante.web.portal.one_time_notice import drop_notice, notice_of
from restante.web.portal.portal_look import PortalLook
from restante.web.portal.portal_session import PortalSession
from restante.web.portal.shell_words import shell_word

_TYPE: Final = "text/html; charset=utf-8"

NAVIGATION: Final = (
    ("/", "Overview", AdminAction.DOMAIN_LIST),
    ("/queue", "Queue", AdminAction.QUEUE_LIST),
    ("/refused", "Refused", AdminAction.QUEUE_LIST),
    ("/search", "Search", AdminAction.TRACE),
    ("/releases", "Releases", AdminAction.RELEASE_LIST),
    ("/audit", "Audit", AdminAction.AUDIT_LIST),
    ("/notices", "Notices", AdminAction.CHANNEL_LIST),
    ("/access", "Access", AdminAction.LOGIN_LIST),
    ("/users", "People", AdminAction.USER_LIST),
    ("/usage", "Usage", AdminAction.ACCOUNT_SHOW),
)


@cache
def page_templates() -> Environment:
    """Return all templates of the pages, compiled. They know nothing of an installation."""
    templates = Environment(
        loader=PackageLoader("restante.web.portal"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    templates.filters |= {
        "number": page_wording.number,
        "octets": page_wording.short_octets,
        "span": page_wording.short_span,
        "span_in_words": page_wording.span_in_words,
        "exact": page_wording.exact,
        "pieces": page_wording.address_pieces,
        "segment": lambda text: quote(text, safe=""),
        "query": urlencode,
        "shell": shell_word,
        "factors": factors_text,
        "trouble": trouble,
    }
    templates.globals["counted"] = page_wording.counted_thing
    templates.globals["AdminAction"] = AdminAction
    templates.globals["shell_lines"] = shell_lines
    templates.globals["navigation"] = NAVIGATION
    for name in templates.list_templates():
        templates.get_template(name)
    return templates


class RenderedPage(Response):
    """A page that is made in steps, with turns of the event loop between them, and sent whole.

    A fault of a template is raised before anything is sent.
    """

    def __init__(self, pieces: Iterator[str], status: int) -> None:
        super().__init__(b"", status, media_type=_TYPE)
        self.body = b""  # until it is made
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Make the page, and send it."""
        self.body = await self.rendered()
        self.headers["Content-Length"] = str(len(self.body))
        await super().__call__(scope, receive, send)

    async def rendered(self) -> bytes:
        """Return the page's octets."""
        text = [piece async for piece in in_turns(self._pieces)]
        # Half a pair of surrogates may be in a name that a stranger chose.
        return "".join(text).encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class PageRenderer:
    """Makes the pages of one installation."""

    now: Callable[[], float]  # Unix time
    hostname: str
    look: PortalLook
    portal_url: Callable[[], str] = str  # without a slash at the end; "" if it is not known
    static: Mapping[str, str] = field(default_factory=dict)  # addresses of files, by name
    templates: Environment = field(default_factory=page_templates)

    @property
    def base_url(self) -> str:
        """The address of the API, for commands to copy: that of the portal, where it is known."""
        return self.portal_url() or f"https://{self.hostname}"

    def page(
        self,
        request: Request,
        template: str,
        session: PortalSession | None = None,
        status: int = 200,
        **facts: Any,
    ) -> Response:
        """Return a page. Without a session, it has no navigation."""
        notice = notice_of(request)
        pieces = self.templates.get_template(template).generate(
            **self._common(request, session), notice=notice, **facts
        )
        answer = RenderedPage(pieces, status)
        if notice:
            drop_notice(answer)
        return answer

    def _common(self, request: Request, session: PortalSession | None) -> Mapping[str, Any]:
        now = self.now()
        return {
            "session": session,
            "path": request.url.path,
            "look": self.look,
            "hostname": self.hostname,
            "base_url": self.base_url,
            "static": lambda name: self.static.get(name, f"/static/{name}"),
            "now": now,
            "clock": lambda at: page_wording.clock(at, now),
            "ago": lambda at: page_wording.time_ago(at, now),
            "may": lambda action: session is not None and may(session.principal, action),
        }
