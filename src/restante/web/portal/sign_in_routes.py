"""All routes by which people sign in and look after their own access."""

from starlette.routing import Route

from restante.web.portal.invitation_page import InvitationPage
from restante.web.portal.passkey_page import PasskeyPage
from restante.web.portal.portal_link_page import PortalLinkPage
from restante.web.portal.profile_page import ProfilePage
from restante.web.portal.provider_page import ProviderPage
from restante.web.portal.sign_in_page import SignInPage
from restante.web.portal.sign_in_parts import SignInParts
from restante.web.portal.step_up_page import StepUpPage


def sign_in_routes(parts: SignInParts) -> list[Route]:
    """Return the routes for `build_portal`."""
    pages = (
        SignInPage,
        InvitationPage,
        StepUpPage,
        ProfilePage,
        PasskeyPage,
        ProviderPage,
        PortalLinkPage,
    )
    return [route for page in pages for route in page(parts).routes()]
