"""The parts that the pages for signing in share, and the answers that they have in common."""

from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request

from restante.admin.admin_context import AdminContext
from restante.admin.own_credentials import OwnCredentials
from restante.admin.passkey_service import PasskeyService
from restante.admin.portal_sessions import PortalSessions
from restante.admin.provider_sign_in import ProviderSignIn
from restante.admin.sign_in import BUSY, SignInDenied, SignInService
from restante.network.addresses import peer_address
from restante.tenancy.model import IpAddress
from restante.web.portal.page_renderer import PageRenderer
from restante.web.portal.portal_visit import FormValues, PortalParts
from restante.web.portal.session_cookie import address_of


@dataclass(frozen=True, slots=True)
class SignInParts:
    """The parts that sign people in."""

    context: AdminContext
    sign_in: SignInService
    credentials: OwnCredentials
    sessions: PortalSessions
    passkeys: PasskeyService
    provider: ProviderSignIn


def renderer_of(request: Request) -> PageRenderer:
    """Return what makes the pages of the portal that a request is for."""
    parts: PortalParts = request.app.state.portal
    return parts.renderer


def client_of(request: Request) -> IpAddress:
    """Return the address of the client."""
    return peer_address(address_of(request))


async def form_of(request: Request) -> FormValues:
    """Return the fields of the form that was sent."""
    return FormValues((await request.body()).decode("utf-8", "replace"))


def http_status_of(denied: SignInDenied) -> HTTPStatus:
    """Return the status of an answer to somebody who was not signed in."""
    if str(denied) == BUSY:
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.TOO_MANY_REQUESTS if denied.is_flood else HTTPStatus.FORBIDDEN
