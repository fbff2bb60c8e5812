"""The lines for a domain's primary, with the addresses from which this server connects to it."""

from ipaddress import ip_address

from pydantic import BaseModel

from restante.admin.admin_context import AdminContext, NetworkAccess
from restante.admin.domains import find_domain
from restante.admin.permissions import AdminAction, permit
from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.dialer import Dialer
from restante.delivery.route import NoRoute
from restante.network.resolver import LookupFailed
from restante.readiness.dns_gathering import is_inside, outgoing_sources
from restante.readiness.primary_snippets import (
    PrimaryProgram,
    PrimarySnippet,
    SnippetNames,
    primary_snippet,
)
from restante.tenancy.model import Destination


class SnippetPartView(BaseModel):
    """Lines for one place."""

    place: str
    text: str


class SnippetView(BaseModel):
    """The lines for one program."""

    program: PrimaryProgram
    title: str  # its name for people
    parts: list[SnippetPartView]
    danger: str
    is_tried: bool  # loaded by the program itself in our tests


async def list_snippets(
    context: AdminContext, name: str, program: PrimaryProgram | None = None
) -> list[SnippetView]:
    """Return the lines for the primary of a domain, for one program or all. Raises AdminError."""
    permit(context.principal, AdminAction.DOMAIN_SHOW)
    domain = find_domain(context, name)
    host = domain.destination.host
    names = SnippetNames(
        domain.name,
        f"[{host}]" if ":" in host else host,
        await outgoing_addresses(context.network, domain.destination),
    )
    wanted = list(PrimaryProgram) if program is None else [program]
    return [_view(primary_snippet(one, names)) for one in wanted]


def dialer_of(network: NetworkAccess) -> Dialer:
    """Return a dialer with the rules of deliveries: it never dials this server, for one."""
    return Dialer(network.resolver, network.hostname, network.own_addresses, DeliverySettings)


async def outgoing_addresses(network: NetworkAccess, destination: Destination) -> tuple[str, ...]:
    """Return the addresses of this server as the destination sees them; () if nobody knows.

    Behind a translator, they are those of our host name.
    """
    try:
        endpoints = await dialer_of(network).endpoints(destination)
    except NoRoute:
        endpoints = ()
    sources = outgoing_sources([ip_address(str(one.address)) for one in endpoints])
    found = [one for one in sources if not is_inside(one)]
    if found:
        return tuple(map(str, found))
    try:
        return tuple(map(str, await network.resolver.addresses(network.hostname)))
    except LookupFailed:
        return ()


def _view(snippet: PrimarySnippet) -> SnippetView:
    return SnippetView(
        program=snippet.program,
        title=snippet.program.text,
        parts=[SnippetPartView(place=one.place, text=one.text) for one in snippet.parts],
        danger=snippet.danger,
        is_tried=snippet.is_tried,
    )
