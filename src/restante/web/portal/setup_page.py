"""How to set up the primary: the lines for it, with the names of this domain and this server."""

from itertools import islice
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.domain_snippets import list_snippets
from restante.admin.domains import DomainView, show_domain
from restante.admin.logins import list_logins
from restante.admin.permissions import AdminAction, may
from restante.tenancy.model import NO_DESTINATION
from restante.tenancy.policy import TurnaroundPolicy
from restante.web.portal.portal_visit import Visit, page_route
from restante.web.portal.primary_setup import (
    IMPLICIT_TLS_PORT,
    NO_LOGIN,
    ODMR_PORT,
    SetupNames,
    asking,
    fetching,
    mail_exchangers,
)

MOST_LOGINS: Final = 20


async def setup(visit: Visit) -> Response:
    """Show the lines for the primary of a domain."""
    record = await show_domain(visit.context, visit.part("name"))
    logins = await _logins(visit, record)
    chosen = visit.query.text("login")
    names = SetupNames(
        server=visit.context.network.hostname,
        port=_port_of(visit, "smtps", IMPLICIT_TLS_PORT),
        domain=record.name,
        login=chosen if chosen in logins else next(iter(logins), NO_LOGIN),
        primary=_host(record),
        odmr_port=_port_of(visit, "odmr", ODMR_PORT),
    )
    is_reachable = record.destination != NO_DESTINATION
    may_turn = record.policy.turnaround == TurnaroundPolicy.ALLOW or not is_reachable
    return visit.page(
        "setup.html",
        record=record,
        names=names,
        logins=logins,
        is_reachable=is_reachable,
        asking=[
            *([fetching(names)] if may_turn else []),
            *(asking(names) if is_reachable else []),
        ],
        exchangers=mail_exchangers(names),
        snippets=await list_snippets(visit.context, record.name),
    )


def _host(record: DomainView) -> str:
    """Return the destination without its port: a name, an address without brackets, or ""."""
    return record.destination.rpartition(":")[0].strip("[]")


async def _logins(visit: Visit, record: DomainView) -> list[str]:
    if not may(visit.session.principal, AdminAction.LOGIN_LIST):
        return []
    found = await list_logins(visit.context, record.account, "")
    return [one.user for one in islice(found, MOST_LOGINS)]


def _port_of(visit: Visit, service: str, default: int) -> int:
    """Return the port of the first listener for a service."""
    server = visit.context.server
    for one in server.listeners() if server is not None else ():
        if one.service == service:
            return int(one.address.rpartition(":")[2])
    return default


ROUTES: Final[list[Route]] = [page_route("/domains/{name}/setup", setup)]
